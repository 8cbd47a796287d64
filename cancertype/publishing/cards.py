"""The cards that go with a model and a dataset to the Hub: metadata in the Hub's own form, and the measured truth."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from huggingface_hub import DatasetCardData, EvalResult, ModelCardData
from jinja2 import Environment, StrictUndefined

from .. import package_data
from ..errors import InputError
from ..labels import FAMILIES, LABELS, NAMES

NOTICE = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
"""The notice that section 3.1 of Gemma's terms asks for in every distribution of a derivative."""

_TAGS = ["cancertype", "biology", "oncology", "genomics"]
_HUB_IDS = {"gemma-3-270m": "google/gemma-3-270m"}
_HUB_LICENCES = {"CC BY 4.0": "cc-by-4.0", "CC0 1.0": "cc0-1.0", "Apache-2.0": "apache-2.0", "MIT": "mit"}
_LOCAL_PATH = re.compile(r"/|~|\.{1,2}[/\\]|[A-Za-z]:[/\\]")
_PERCENTAGES = {"accuracy", "balanced_accuracy", "macro_f1", "top3"}
_FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "top3": "Top-3 accuracy",
    "log_loss": "Log loss (nats)",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
}
_MODELS = {
    "language_model": "Language model alone",
    "trees": "Gradient-boosted trees",
    "logistic": "Logistic regression",
    "majority": "Majority label",
}
# Figure to (metric type on the Hub, its arguments).
_HUB_METRICS = {
    "accuracy": ("accuracy", None),
    "macro_f1": ("f1", {"average": "macro"}),
    "top3": ("top_k_accuracy", {"k": 3}),
    "log_loss": ("log_loss", None),
    "ece": ("expected_calibration_error", None),
}
_COLUMNS = {
    "case_id": "the case, as its source names it",
    "source": "where the case comes from",
    "label": "one of the 26 labels",
    "prompt": "the case in words",
    "completion": "the answer, with its leading space",
    "text": "prompt and completion",
    "subclass": "the label again, under the name that the first version of this dataset used",
    "mutations": "the mutations named in the prompt, in its order",
}
_USAGE = """\
from pathlib import Path

from cancertype.predictor import Predictor
from cancertype.settings.cohort import Cohort
from cancertype.sources import table

predictor = Predictor.from_pretrained({model})
# A column ID, then one column per gene that holds WT or protein changes (in the column BRAF: V600E).
cases = table.read(Path({cases}), Cohort())
for case_id, best in zip(cases.cases["case_id"].to_pylist(), predictor.predict(cases).top(3)):
    print(case_id, best)
"""


def usage(model: str, cases: str = "my_cases.csv") -> str:
    """The Python that the model card shows, for a folder or Hub id ``model`` and a table of ``cases``; it runs as it
    stands."""
    return _USAGE.format(model=json.dumps(model), cases=json.dumps(cases))


def model_card(
    *,
    repo_id: str | None,
    base: Mapping,
    details: Mapping,
    sources: Sequence[Mapping],
    params: Mapping,
    revision: str | None,
    dataset_repo_id: str | None = None,
    continued_from: str | None = None,
    folder: str = "models/published",
) -> str:
    """README.md of the model: YAML metadata, then what it answers, measured figures, sources, terms, limits and usage.

    ``base``: base.json (id, revision, licence; for a copied folder, copied_from). ``details``: those of
    ``evaluation.EvaluationResult``. ``sources``: source.json records. ``params``: the whole of the parameters.
    ``revision``: the project's git commit. ``continued_from``: the model that training started from, if not the base.
    ``folder``: where the model lies while it has no ``repo_id``.

    Raises ``InputError`` where there is no source.
    """
    if not sources:
        raise InputError(
            "model card: no source.json was found, so the data's licences are unknown; fetch the data first"
        )
    final = details["final"]
    view = details["models"][final]
    hub_base = _hub_base(base["id"]) or _hub_base(base.get("copied_from") or "")
    metadata = ModelCardData(
        language="en",
        base_model=hub_base,
        datasets=[dataset_repo_id] if dataset_repo_id else None,
        tags=_tags(sources),
        pipeline_tag="text-generation",
        library_name="transformers",
        metrics=["accuracy", "f1"],
        model_name=(repo_id or "cancertype").rsplit("/", 1)[-1],
        eval_results=_eval_results(view, details["by_source"], sources, dataset_repo_id),
        **_base_licence(base["licence"]),
    )
    return _render(
        "model_card.md.j2",
        metadata=metadata.to_yaml(),
        base=base,
        # A folder's path says nothing to a stranger, and may say something about its owner.
        base_name=hub_base or "a base model of the author's own",
        blend=final == "blend",
        view=view,
        others={_MODELS.get(name, name): other for name, other in details["models"].items() if name != final},
        details=details,
        tested=[row for row in details["per_label"][final] if row["n"]],
        bins=[row for row in details["reliability"][final] if row["n"]],
        comparison=_comparison(details),
        sources=sources,
        simulated=_simulated(sources),
        params=_as_yaml(params),
        revision=revision,
        dataset_repo_id=dataset_repo_id,
        continued_from=continued_from,
        usage=usage(repo_id or folder),
        model=repo_id or folder,
    )


def dataset_card(
    *,
    repo_id: str | None,
    splits: Mapping[str, Mapping],
    sources: Sequence[Mapping],
    params: Mapping,
    revision: str | None,
) -> str:
    """README.md of the dataset, by whose ``configs`` ``datasets.load_dataset`` finds ``data/<split>.parquet``.

    ``splits``: what ``count`` gives. ``sources``: source.json records. ``params``: the whole of the parameters.
    ``revision``: the project's git commit. Raises ``InputError`` where there is no source.
    """
    if not sources:
        raise InputError("dataset card: no source.json was found, so the licences are unknown; fetch the data first")
    metadata = DatasetCardData(
        language="en",
        pretty_name="Somatic mutations of tumours and cell lines as text, 26 cancers",
        task_categories=["text-classification", "text-generation"],
        size_categories=[_size_category(sum(split["n"] for split in splits.values()))],
        tags=_tags(sources),
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}.parquet"} for split in splits],
            }
        ],
        **_data_licence(sources),
    )
    return _render(
        "dataset_card.md.j2",
        metadata=metadata.to_yaml(),
        splits=splits,
        labels=[label for label in LABELS if any(split["labels"].get(label) for split in splits.values())],
        origins=sorted({origin for split in splits.values() for origin in split["sources"]}),
        columns=_COLUMNS,
        repo_id=repo_id or "data/published",
        sources=sources,
        simulated=_simulated(sources),
        params=_as_yaml({name: params[name] for name in ("seed", "data", "cohort", "features", "text")}),
        revision=revision,
    )


def count(splits: Mapping[str, Path]) -> dict[str, dict]:
    """Split to ``{"n", "labels": {label: n}, "sources": {source: n}}``, read from the text dataset's Parquet files."""
    import pyarrow.parquet as pq

    counted = {}
    for split, path in splits.items():
        table = pq.read_table(path, columns=["label", "source"])
        counted[split] = {"n": table.num_rows} | {
            f"{column}s": {str(row["values"]): row["counts"] for row in table[column].value_counts().to_pylist()}
            for column in ("label", "source")
        }
    return counted


# ------------------------------------------------------------------------------------------------- metadata


def _hub_base(model_id: str) -> str | None:
    """The base's id on the Hub, or None for a folder: the Hub refuses a base_model that is not an id."""
    model_id = _HUB_IDS.get(model_id, model_id)
    owner_and_name = (
        model_id.count("/") == 1 and not model_id.startswith((".", "/", "~")) and not Path(model_id).is_dir()
    )
    return model_id if owner_and_name else None


def _base_licence(licence: str | None) -> dict[str, str]:
    if licence and "gemma" in licence.lower():
        return {"license": "gemma"}
    # The Hub takes a licence's name in lower case with hyphens only.
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", (licence or "unknown").lower()).strip("-")}


def _data_licence(sources: Sequence[Mapping]) -> dict[str, str]:
    licences = {source["licence"] for source in sources}
    known = _HUB_LICENCES.get(next(iter(licences))) if len(licences) == 1 else None
    return {"license": known} if known else {"license": "other", "license_name": "see-the-table-of-sources"}


def _tags(sources: Sequence[Mapping]) -> list[str]:
    return _TAGS + (["simulated-data"] if _simulated(sources) else [])


def _simulated(sources: Sequence[Mapping]) -> str | None:
    """ "all", "part", or None where every source is real."""
    flags = [source["simulated"] for source in sources]
    return "all" if all(flags) else "part" if any(flags) else None


def _size_category(n: int) -> str:
    for limit, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if n < limit:
            return name
    return "1M<n<10M"


def _eval_results(
    view: Mapping, by_source: Mapping[str, Mapping], sources: Sequence[Mapping], dataset: str | None
) -> list[EvalResult]:
    simulated = " (simulated)" if _simulated(sources) == "all" else ""
    named = [
        (f"{len(LABELS)} labels{simulated}", "all", view["strict"]),
        (f"{len(FAMILIES)} families{simulated}", "families", view["merged"]),
        *((f"{len(LABELS)} labels, source {source}", source, found) for source, found in by_source.items()),
    ]
    return [
        EvalResult(
            task_type="text-classification",
            task_name="Cancer type from somatic mutations",
            dataset_type=dataset or "cancertype",
            dataset_name=f"Test split, {name}",
            dataset_config=config,
            dataset_split="test",
            metric_type=metric,
            metric_name=_FIGURES[figure],
            metric_value=round(found[figure]["value"], 4),
            metric_args=arguments,
        )
        for name, config, found in named
        for figure, (metric, arguments) in _HUB_METRICS.items()
        if found[figure]["value"] is not None
    ]


# ----------------------------------------------------------------------------------------------------- body


def _comparison(details: Mapping) -> dict | None:
    """The best tabular model, the verdict on accuracy, and the difference with its interval in percentage points."""
    if details["comparison"] is None:
        return None
    best, paired = details["comparison"]["best_tabular"], details["comparison"][details["final"]]
    value, low, high = (paired["accuracy"][key] for key in ("value", "low", "high"))
    interval = "" if low is None else f" (95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
    return {
        "tabular": _MODELS.get(best, best).lower(),
        "verdict": paired["verdict"],
        "difference": f"{100 * value:+.1f} percentage points{interval}",
    }


def _figure(found: Mapping, name: str) -> str:
    """A figure with its interval, as "55.0 % (53.1 to 56.9)" or "1.52 (1.45 to 1.60)"; a dash where there is none."""
    value, low, high = (found[name][key] for key in ("value", "low", "high"))
    if value is None:
        return "–"
    text, unit = (lambda x: f"{100 * x:.1f}", " %") if name in _PERCENTAGES else (lambda x: f"{x:.3f}", "")
    interval = "" if low is None or high is None else f" ({text(low)} to {text(high)})"
    return f"{text(value)}{unit}{interval}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _row(cells: Sequence) -> str:
    """One row of a Markdown table, its text unable to break out of its cell."""
    texts = ("–" if cell is None else " ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"


def _head(cells: Sequence) -> str:
    """The first two rows of a Markdown table."""
    return f"{_row(cells)}\n{'|---' * len(cells)}|"


def _as_yaml(params: Mapping) -> str:
    return yaml.safe_dump(_without_paths(params), sort_keys=False, allow_unicode=True, width=110).rstrip()


def _without_paths(value):
    """``value`` with every path of the author's machine left out: a card is public, and a path may name a person."""
    if isinstance(value, Mapping):
        return {key: _without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_paths(inner) for inner in value]
    return "(a local path)" if isinstance(value, str) and _LOCAL_PATH.match(value) else value


def _render(template: str, **values) -> str:
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown, not HTML: escaping would show as &lt; in tables and code.
        autoescape=False,
    )
    environment.filters |= {"figure": _figure, "share": _share, "row": _row, "head": _head}
    environment.globals |= {
        "FIGURES": _FIGURES,
        "NAMES": NAMES,
        "LABELS": LABELS,
        "FAMILIES": FAMILIES,
        "NOTICE": NOTICE,
    }
    source = package_data.text("publishing", template)
    return environment.from_string(source).render(**values)
