"""The cards of a model and a dataset on the Hub: metadata in the Hub's own form, and the measured figures."""

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
from ..prediction import measured, training_data
from . import markdown, redaction

NOTICE = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"
"""The notice that section 3.1 of Gemma's terms asks for in every distribution of a derivative."""

_TAGS = ["cancertype", "biology", "oncology", "genomics"]
_HUB_IDS = {"gemma-3-270m": "google/gemma-3-270m"}
_HUB_LICENCES = {"CC BY 4.0": "cc-by-4.0", "CC0 1.0": "cc0-1.0", "Apache-2.0": "apache-2.0", "MIT": "mit"}
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
    "prompt": "the case as text",
    "completion": "the answer, with its leading space",
    "text": "prompt and completion",
    "subclass": "the label again, under the name that the first version of this dataset used",
    "mutations": "the mutations named in the prompt, in its order",
}
_USAGE = """\
import cancertype

predictor = cancertype.Predictor.from_pretrained({model})
# A MAF, DepMap's mutations, an annotated VCF, a table with one column per gene, or a text such as "BRAF V600E".
cases = cancertype.read({cases}, predictor.config.cohort).tables
for case_id, best in zip(cases.cases["case_id"].to_pylist(), predictor.predict(cases).top(3)):
    print(case_id, best)
"""
_VIEWS = {"config_name": "views", "data_files": [{"split": "train", "path": "views/train.parquet"}]}
_OF_DATA = ("seed", "data", "cohort", "features", "views", "text")
_SOURCE_FIELDS = ("name", "release", "licence", "citation", "terms", "simulated")


_PLAIN_USAGE = """\
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

name = {model}
tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModelForCausalLM.from_pretrained(name, dtype="float32")
labels = {labels}
# Written by text.template (the parameters are at the end of this card), as in the dataset's column prompt.
prompt = "tumour\\nBRAF V600E, CDKN2A R80*\\ncancer:"
start, scores = tokenizer(prompt, return_tensors="pt")["input_ids"], {{}}
for label, text in labels.items():
    answer = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        logits = model(torch.cat([start, answer], dim=1)).logits[0, start.shape[1] - 1 : -1]
    scores[label] = logits.float().log_softmax(-1).gather(1, answer.T).sum().item()
print(max(scores, key=scores.get), scores)
"""


def plain_usage(model: str, labels: Mapping[str, str]) -> str:
    """Code that scores the ``labels`` (label to text) with transformers alone. It runs as it is.

    ``generate`` is no substitute: it runs on past the label."""
    return _PLAIN_USAGE.format(model=json.dumps(model), labels=json.dumps(dict(labels)))


def usage(model: str, cases: str = "my_cases.maf") -> str:
    """The Python code in the model card, for a folder or Hub id ``model`` and a file of ``cases``. It runs as it is."""
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
    dataset_revision: str | None = None,
    continued_from: str | None = None,
    labels: Mapping[str, str] | None = None,
    folder: str = "models/published",
) -> str:
    """README.md of the model: YAML metadata, then what it answers, measured figures, sources, terms, limits and usage.

    ``base``: base.json (id, revision, licence; for a copied folder, copied_from). ``details``: those of
    ``evaluation.EvaluationResult``. ``sources``: source.json records. ``params``: all parameters. ``revision``: the
    project's git commit. ``dataset_revision``: the dataset's commit on the Hub. ``labels``: label to the text that
    answers it, for the code with transformers alone. ``continued_from``: the model that training started from, if not
    the base. ``folder``: where the model is while it has no ``repo_id``.

    Passwords, tokens and local paths are left out. Raises ``InputError`` where there is no source, or where a record
    lacks a field.
    """
    sources = _checked(sources, "model card")
    base, params = redaction.public(base) | {"id": base["id"]}, redaction.public(params)
    final = details["final"]
    view = details["models"][final]
    base_id = hub_base(base)
    metadata = ModelCardData(
        language="en",
        base_model=base_id,
        datasets=[dataset_repo_id] if dataset_repo_id else None,
        tags=_tags(sources),
        pipeline_tag="text-generation",
        library_name="transformers",
        metrics=["accuracy", "f1"],
        model_name=(repo_id or "cancertype").rsplit("/", 1)[-1],
        eval_results=_eval_results(details, sources, dataset_repo_id, dataset_revision),
        **_base_licence(base["licence"]),
    )
    return _render(
        "model_card.md.j2",
        metadata=metadata.to_yaml(),
        base=base,
        # The path of a folder means nothing to a stranger, and may name its owner.
        base_name=base_id or "a base model of the author's own",
        trained_on=_trained_on(base),
        blend=final == "blend",
        view=view,
        others={_MODELS.get(name, name): other for name, other in details["models"].items() if name != final},
        details=details,
        tested=[row for row in details["per_label"][final] if row["n"]],
        bins=[row for row in details["reliability"][final] if row["n"]],
        comparison=_comparison(details),
        assays=_by_assay(details),
        sources=_grouped(sources),
        simulated=_simulated(sources),
        params=_as_yaml(params),
        revision=revision,
        dataset_repo_id=dataset_repo_id,
        dataset_revision=dataset_revision,
        plain_usage=plain_usage(repo_id or folder, labels) if labels else None,
        continued_from=continued_from and redaction.text(continued_from),
        usage=usage(repo_id or folder),
        model=repo_id or folder,
    )


def adapter_card(*, repo_id: str, model_repo_id: str, base: Mapping, sources: Sequence[Mapping]) -> str:
    """README.md of the adapter's own repository ``repo_id``, beside that of the model. ``base``: base.json."""
    base_id = hub_base(base)
    metadata = ModelCardData(
        language="en",
        base_model=base_id,
        base_model_relation="adapter",
        tags=_tags(_checked(sources, "adapter card")),
        pipeline_tag="text-generation",
        library_name="peft",
        **_base_licence(base["licence"]),
    )
    return _render(
        "adapter_card.md.j2",
        metadata=metadata.to_yaml(),
        model=model_repo_id,
        repo_id=repo_id,
        repo=json.dumps(repo_id),
        base_name=base_id or "a base model of the author's own",
        trained_on=_trained_on(base),
        licence=base["licence"],
    )


def _trained_on(base: Mapping) -> str | None:
    """What the base's weights were, where they are not those of the Hub."""
    if not base.get("made"):
        return None
    return f"The base that was trained came as {base['made']}. The Hub's own weights differ from it by this rounding."


def dataset_card(
    *,
    repo_id: str | None,
    splits: Mapping[str, Mapping],
    views: int,
    sources: Sequence[Mapping],
    params: Mapping,
    revision: str | None,
) -> str:
    """README.md of the dataset. Its ``configs`` let ``datasets.load_dataset`` find ``data/<split>.parquet``, and the
    views of the training cases (``views/train.parquet``) if there are any.

    ``splits``: what ``count`` returns. ``views``: rows of that file. ``sources``: source.json records. ``params``: all
    parameters. ``revision``: the project's git commit. Passwords, tokens and local paths are left out. Raises
    ``InputError`` where there is no source, or where a record lacks a field.
    """
    sources = _checked(sources, "dataset card")
    params = redaction.public(params)
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
            },
            *([_VIEWS] if views else []),
        ],
        **_data_licence(sources),
    )
    return _render(
        "dataset_card.md.j2",
        metadata=metadata.to_yaml(),
        splits=splits,
        views=views,
        labels=[label for label in LABELS if any(split["labels"].get(label) for split in splits.values())],
        origins=sorted({origin for split in splits.values() for origin in split["sources"]}),
        columns=_COLUMNS,
        repo_id=repo_id or "data/published",
        sources=_grouped(sources),
        simulated=_simulated(sources),
        params=_as_yaml({name: params[name] for name in _OF_DATA if name in params}),
        revision=revision,
    )


def count(splits: Mapping[str, Path]) -> dict[str, dict]:
    """Split to ``{"n", "labels": {label: n}, "sources": {source: n}}``, read from the text dataset's Parquet files.

    Raises ``InputError`` for a file that is missing or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counted = {}
    for split, path in splits.items():
        try:
            table = pq.read_table(path, columns=["label", "source"])
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path}: missing or damaged ({reason}): run `dvc repro to_text` again") from None
        counted[split] = {"n": table.num_rows} | {
            f"{column}s": {str(row["values"]): row["counts"] for row in table[column].value_counts().to_pylist()}
            for column in ("label", "source")
        }
    return counted


def _checked(sources: Sequence[Mapping], what: str) -> list[dict]:
    """The records of the sources, fit for the public. Raises ``InputError`` where one lacks what a card must say."""
    if not sources:
        raise InputError(f"{what}: no source.json was found, so the data's licences are unknown; fetch the data first")
    for source in sources:
        if not isinstance(source, Mapping):
            raise InputError(
                f"{what}: a record of a source is {source!r}, which is no JSON object: fetch the data again"
            )
        if missing := [name for name in _SOURCE_FIELDS if name not in source]:
            raise InputError(
                f"{what}: the source.json of {source.get('name') or source.get('source') or 'a source'} lacks "
                f"{', '.join(missing)}: correct it, or fetch the data again"
            )
        if not isinstance(source["simulated"], bool):
            raise InputError(f"{what}: simulated is {source['simulated']!r} in a source.json: write true or false")
    return redaction.public(list(sources))


# ------------------------------------------------------------------------------------------------- metadata


def hub_base(base: Mapping) -> str | None:
    """The id on the Hub of a base (base.json), or None for a folder that came from nowhere else."""
    return _hub_id(base["id"]) or _hub_id(base.get("copied_from") or "")


def _hub_id(model_id: str) -> str | None:
    """The id on the Hub, or None for a folder: the Hub refuses a base_model that is not an id."""
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


def _grouped(sources: Sequence[Mapping]) -> list[dict]:
    """The records for a table: folders that say the same of themselves are one row, whose name says how many."""
    return [
        {**source, "name": training_data.name(source, folders)} for source, folders in training_data.grouped(sources)
    ]


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
    details: Mapping, sources: Sequence[Mapping], dataset: str | None, revision: str | None
) -> list[EvalResult]:
    """The language model's own figures, which are those of the weights, and the blend's under names that say so.

    All are of one configuration, split and revision of the dataset, and so are one group to the Hub."""
    simulated = " (simulated)" if _simulated(sources) == "all" else ""
    models = details["models"]
    named = [
        ("", models["language_model"]["strict"]),
        (f", {len(FAMILIES)} families", models["language_model"]["merged"]),
    ]
    if details["final"] == "blend":
        named.append((", together with the boosted trees", models["blend"]["strict"]))
    return [
        EvalResult(
            task_type="text-classification",
            task_name="Cancer type from somatic mutations",
            dataset_type=dataset or "cancertype",
            dataset_name=f"Test split, {len(LABELS)} labels{simulated}",
            dataset_config="default",
            dataset_split="test",
            dataset_revision=revision,
            metric_type=metric,
            metric_name=f"{_FIGURES[figure]}{which}",
            metric_value=round(found[figure]["value"], 4),
            metric_args=arguments,
        )
        for which, found in named
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
    interval = "" if low is None else f" (95% interval {100 * low:+.1f} to {100 * high:+.1f})"
    return {
        "tabular": _MODELS.get(best, best).lower(),
        "verdict": paired["verdict"],
        "difference": f"{100 * value:+.1f} percentage points{interval}",
    }


_PARTS = {"language_model": "Language model", "trees": "Trees", "blend": "Both"}
_CERTAIN_FROM = 0.75


def _by_assay(details: Mapping) -> list[list[str]]:
    """The grid of assays as a table, its head first: cases, accuracy / macro-F1 of each part, the share of cases with
    an answer of at least 75% and how many of these are right, and the sets that hold the truth. Empty without a grid.
    """
    grid = {row: found for row, found in (details.get("assays") or {}).items() if found["n"]}
    if not grid:
        return []
    parts = [name for name in _PARTS if all(name in found["models"] for found in grid.values())]
    head = ["Seen through", "Cases", *(_PARTS[name] for name in parts)]
    rows = [[*head, f"Answered at {_CERTAIN_FROM:g}", "Right among these", "Sets that hold the truth"]]
    for row, found in grid.items():
        figures = found["models"]
        answered = _at(next(iter(figures.values()))["thresholds"], _CERTAIN_FROM)
        both = (f"{_figure(figures[name], 'accuracy')}, {_share(figures[name]['macro_f1']['value'])}" for name in parts)
        held = next(iter(found["sets"].values()))["coverage"]
        shares = (each["value"] for each in (answered["coverage"], answered["accuracy"], held))
        rows.append([measured.in_words(row), f"{found['n']:,}", *both, *map(_percent, shares)])
    return rows


def _at(thresholds: Sequence[Mapping], wanted: float) -> Mapping:
    """The figures at the threshold ``wanted``; dashes where it was not measured (``evaluate.thresholds``)."""
    nothing = {"coverage": {"value": None}, "accuracy": {"value": None}}
    return next((each for each in thresholds if each["threshold"] == wanted), nothing)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _figure(found: Mapping, name: str) -> str:
    """A figure with its interval, as "55.0% (53.1 to 56.9)" or "1.520 (1.450 to 1.600)". A dash where there is none."""
    value, low, high = (found[name][key] for key in ("value", "low", "high"))
    if value is None:
        return "–"
    text, unit = (lambda x: f"{100 * x:.1f}", "%") if name in _PERCENTAGES else (lambda x: f"{x:.3f}", "")
    interval = "" if low is None or high is None else f" ({text(low)} to {text(high)})"
    return f"{text(value)}{unit}{interval}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _as_yaml(params: Mapping) -> str:
    return yaml.safe_dump(params, sort_keys=False, allow_unicode=True, width=110).rstrip()


def _render(template: str, **values) -> str:
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # HTML's escapes would show in code. Markdown has its own sanitiser, which the templates' filters apply.
        autoescape=False,
    )
    environment.filters |= {"figure": _figure, "share": _share, "row": markdown.row, "head": markdown.head}
    environment.filters |= {"plain": markdown.plain, "code": markdown.code, "block": markdown.block}
    environment.filters |= {"raw": markdown.Raw}
    environment.globals |= {
        "FIGURES": _FIGURES,
        "NAMES": NAMES,
        "LABELS": LABELS,
        "FAMILIES": FAMILIES,
        "NOTICE": NOTICE,
    }
    source = package_data.text("publishing", template)
    return environment.from_string(source).render(**values)
