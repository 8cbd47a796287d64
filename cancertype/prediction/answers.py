"""What a prediction says, in the same words on the screen, in JSON, in CSV and on a page."""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

import cancertype

from ..alterations.schema import ARMS
from ..errors import InputError
from ..files import digest
from ..labels import FAMILIES, FAMILY_OF, LABELS, NAMES
from ..reports.pages import percent, render
from . import case_parts, manifest, measured, training_data
from .about import counted, first_of
from .prediction_config import TREES, PredictionConfig
from .spreadsheet import cell

if TYPE_CHECKING:
    from ..assays.recognition import Recognised
    from .evidence import Fact
    from .explanation import Explanation
    from .known_mutations import Known
    from .predictor import Predictions

WARNING = "For research use only. Not a medical device. Not for diagnosis or for decisions about any patient."
_SHOWN_SINGLY = 50
"""Cases that a page shows one by one. Its table holds all of them."""


def records(
    predictions: "Predictions",
    config: PredictionConfig,
    remarks: Mapping[str, Sequence[str]] | None = None,
    assays: "Mapping[str, Recognised] | None" = None,
    known: "Mapping[str, Known] | None" = None,
    evidence: "Mapping[str, Sequence[Fact]] | None" = None,
    seen: "Mapping[str, measured.Seen] | None" = None,
) -> list[dict]:
    """One dict per case, ready for JSON.

    Keys: case_id, kind, sex, burden, ``answer`` (a label, or None), ``abstains`` (why there is no answer, or None),
    ``top`` (three labels, fewer where the others are ruled out, with probability, measured recall and precision, and
    the test cases that these are of: ``seen_through`` a row of the grid, or None for all as they are; ``seen`` chooses
    it), ``family``, ``set`` (the conformal set, most probable first), ``probabilities`` of labels and ``families``,
    ``mutations`` (as the model read them), how many were ``left_out`` of its text, ``remarks`` (from
    ``remarks.remarks``, and how the case differs from all training cases), ``assay`` (from
    ``Input.assays``: its name, the reason why it is assumed, and whether it is certain; None where it is not known),
    ``readings`` (how many of the given mutations the model read, read as their gene only, or does not know; from
    ``known_mutations.of_cases``), ``given``, each alteration of a list, or of copy number and fusions alone, with its
    reading (None for other assays), ``arms`` (calls of chromosome arms by name; None where no arm was looked at) and
    ``evidence``, what the training cases say of its alterations and its most probable label (from
    ``Predictor.evidence``).
    """
    rows = predictions.cases.select(["case_id", "kind", "sex", "burden"]).to_pylist()
    arms = predictions.cases["arms"].to_pylist()
    out = []
    for i, (case, top) in enumerate(zip(rows, predictions.top(3), strict=True)):
        p = {label: float(x) for label, x in zip(LABELS, predictions.p[i], strict=True)}
        families = _families(p)
        family = max(FAMILIES, key=families.__getitem__)
        reason, unlike = predictions.abstains[i], predictions.unlike[i]
        # A probability of 0 is no prediction: the histology, the sex or a prior ruled the label out.
        in_set = [label for label, inside in zip(LABELS, predictions.in_set[i], strict=True) if inside and p[label]]
        rendered = predictions.rendered[i]
        own = (seen or {}).get(case["case_id"])
        row = own and measured.nearest(config, own)
        out.append(
            case
            | {
                "answer": None if reason else top[0][0],
                "abstains": reason,
                "top": [
                    _ranked(label, x) | measured.figures(config, row, label, fast=predictions.log_likelihood is None)
                    for label, x in top
                    if x
                ],
                "family": {"label": family, "p": families[family]},
                "set": sorted(in_set, key=lambda label: -p[label]),
                "probabilities": p,
                "families": families,
                "mutations": list(rendered.mutations),
                "left_out": rendered.left_out,
                "remarks": [*((remarks or {}).get(case["case_id"], ())), *([unlike.remark] if unlike else [])],
                "assay": _assay((assays or {}).get(case["case_id"])),
                **_readings((known or {}).get(case["case_id"])),
                "arms": None if arms[i] is None else dict(zip(ARMS, arms[i], strict=True)),
                "evidence": [asdict(fact) for fact in (evidence or {}).get(case["case_id"], ())],
            }
        )
    return out


def _assay(assumed: "Recognised | None") -> dict | None:
    return assumed and {"name": assumed.assay.name, "reason": assumed.reason, "certain": assumed.certain}


def _readings(known: "Known | None") -> dict:
    each = known and known.each
    given = None if each is None else [{"mutation": mutation, "reading": how} for mutation, how in each]
    return {"readings": known and known.number, "given": given}


READING_WORDS = {"read": "read", "gene only": "read as their gene only", "unknown": "unknown to the model"}


def given_in_words(case: Mapping) -> str:
    """How the model reads each alteration of a list, in one line; "" for other assays. Of each kind the first 20 are
    named."""
    parts = []
    for how, words in READING_WORDS.items():
        named = [each["mutation"] for each in case["given"] or () if each["reading"] == how]
        parts += [f"{words}: {first_of(named, _NAMED)}"] if named else []
    return "; ".join(parts)


_NAMED = 20


def _families(p: Mapping[str, float]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for label, x in p.items():
        sums[FAMILY_OF[label]] += x
    return dict(sums)


def _ranked(label: str, p: float) -> dict:
    return {"label": label, "name": NAMES[label], "family": FAMILY_OF[label], "p": p}


def measured_in_words(ranked: Mapping) -> str:
    """Recall and precision of one of a record's ``top`` labels, and of which test cases they are."""
    label, said = ranked["label"], ""
    row = ranked["seen_through"]
    among = f"in the test, seen through {measured.in_words(row)}" if row else "among all test cases, as they are"
    if ranked["recall"] is not None:
        said = f"The model recognised {percent(ranked['recall'])} of {ranked['n']} {label} cases {among} (recall). "
    if ranked["precision"] is None:
        return f"{said}It never called {label} {among}, so its precision is unknown."
    return f"{said}{percent(ranked['precision'])} of its {label} calls were right (precision)."


# --- The model ---


def identity(folder: Path, config: PredictionConfig) -> dict:
    """Which model answers and by which thresholds, ready for JSON: ``id`` (of the bytes of all its files), ``version``
    of cancertype, ``trained_on``, ``coverage`` of the sets, and ``abstain_below``, the probability that an answer
    needs; ``release``, the model's own version, is None where it has none."""
    listed = folder / manifest.MANIFEST
    return {
        "id": digest(listed)[:16] if listed.is_file() else None,
        "release": config.release,
        "version": cancertype.__version__,
        "trained_on": training_data.names(config.sources),
        "coverage": config.calibration.coverage,
        "abstain_below": config.calibration.abstain_below,
    }


_OTHERS = {
    "language_model": "language model alone",
    "trees": "boosted trees alone",
    "tabular": "best tabular model alone",
    "baseline": "best tabular model alone",
}
"""Models whose figures stand in the headline beside those of what answers. "tabular" is the best tabular model where it
is not the trees; "baseline" is the third release's name for it."""


def headline(config: PredictionConfig) -> dict[str, dict[str, float]]:
    """Model to its figures on the test split, first those of what answers (``final``), then those of its parts alone.

    Where the headline has a ``blend``, the blend answers, and the figures at the top are the language model's."""
    at_top = {name: x for name, x in config.headline.items() if isinstance(x, float)}
    by_model = {name: figures for name, figures in config.headline.items() if isinstance(figures, dict)}
    models = {"final": at_top}
    if "blend" in by_model:
        models = {"final": by_model["blend"], _OTHERS["language_model"]: at_top}
    return models | {_OTHERS[name]: figures for name, figures in by_model.items() if name in _OTHERS}


def describe(folder: Path) -> dict:
    """What is known of a published model, ready for JSON.

    Keys: model, the fields of ``identity``, base_model, licence, ``headline`` (figures of what answers, and the number
    of ``test_cases``), ``parts`` (those of its parts alone), calibration, data (sources with licence, terms,
    citation and the number of folders that say this of themselves), labels (with training cases and measured figures)
    and versions.

    Raises ``InputError`` when the folder holds no published model, or a damaged one.
    """
    config = PredictionConfig.load(folder)
    manifest.check(folder, card=True)
    training = _training_cases(folder / TREES / "tabular.json")
    card = _front_matter(folder / manifest.CARD)
    figures = {
        model: {name: round(x, 4) for name, x in measured.items()} for model, measured in headline(config).items()
    }
    return {
        "model": str(folder),
        **identity(folder, config),
        "base_model": card.get("base_model"),
        "licence": card.get("license"),
        "headline": figures.pop("final") | {"test_cases": config.headline.get("n")},
        "parts": figures,
        "calibration": config.calibration.model_dump(mode="json"),
        "data": [
            {key: source.get(key) for key in ("name", "licence", "terms", "citation")} | {"folders": folders}
            for source, folders in training_data.grouped(config.sources)
        ],
        "labels": [
            {"label": label, "name": NAMES[label], "family": FAMILY_OF[label], "training_cases": training[label]}
            | {figure: config.performance.get(label, {}).get(figure) for figure in ("n", "recall", "precision")}
            for label in LABELS
        ],
        "versions": {name: version(name) for name in ("torch", "transformers", "lightgbm")},
    }


def _training_cases(path: Path) -> dict[str, int]:
    try:
        counts = json.loads(path.read_text(encoding="utf-8"))["training_cases"]
        return {label: counts[label] for label in LABELS}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: get the model again") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}): get the model again") from None


def _front_matter(card: Path) -> dict:
    """The metadata at the head of a card; empty where there is no card. Tags that would build objects are refused."""
    if not card.is_file():
        return {}
    head = card.read_text(encoding="utf-8", errors="replace").split("---\n")
    try:
        metadata = yaml.safe_load(head[1]) if len(head) > 2 and not head[0].strip() else {}
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{card}: its front matter is not plain YAML ({reason}): correct it or get it again") from None
    return metadata if isinstance(metadata, dict) else {}


# --- Files ---


def as_csv(cases: Sequence[dict]) -> str:
    """The records as CSV, one row per case: the answer, the three most probable labels, family, set, remarks and all 26
    probabilities. A name that a spreadsheet would run as a formula gets an apostrophe before it."""
    buffer = io.StringIO()
    places = [f"{what}{i}" for i in (1, 2, 3) for what in ("label", "p")]
    fixed = ["case_id", "kind", "sex", "assay", "burden", "answer", "abstains", *places]
    fixed += ["recall", "precision", "seen_through"]
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*fixed, "family", "p_family", "set", "remarks", *(f"p_{label}" for label in LABELS)])
    for case in cases:
        first = case["top"][0]
        row = [
            *(case[name] for name in ("case_id", "kind", "sex")),
            (case["assay"] or {}).get("name"),
            *(case[name] for name in ("burden", "answer", "abstains")),
            *[x for t in case["top"] for x in (t["label"], _rounded(t["p"]))],
            *[""] * (len(places) - 2 * len(case["top"])),
            *(_rounded(first[name]) for name in ("recall", "precision")),
            first["seen_through"],
            *(case["family"]["label"], _rounded(case["family"]["p"]), " ".join(case["set"])),
            "; ".join(case["remarks"]),
            *(_rounded(case["probabilities"][label]) for label in LABELS),
        ]
        writer.writerow(map(cell, row))
    return buffer.getvalue()


def _rounded(x: float | None) -> str:
    return "" if x is None else f"{x:.6f}"


def page(
    cases: Sequence[dict],
    config: PredictionConfig,
    about: Mapping[str, str],
    explanations: "Sequence[Explanation]" = (),
) -> str:
    """One HTML page that needs no other file: every case in a table, and the first 50 one by one with their
    ``explanations``. ``about`` is what it says about file, model and adjustments."""
    html = render(
        "prediction",
        "prediction.html.j2",
        {"percent": percent},
        cases=cases,
        tally=tally(cases),
        shown_singly=_SHOWN_SINGLY,
        names=NAMES,
        given=given_in_words,
        measured=measured_in_words,
        parts=case_parts.html,
        parts_css=case_parts.css(),
        about=about,
        warning=WARNING,
        coverage=config.calibration.coverage,
        simulated=config.simulated,
        explanations={e.case_id: e for e in explanations},
    )
    # A name may hold bytes that are not UTF-8, which a page cannot show.
    return html.encode("utf-8", "replace").decode("utf-8")


def tally(cases: Sequence[Mapping]) -> str:
    """``4 samples: 3 answered (COAD 2, SKCM 1), 1 without an answer.``"""
    called = Counter(case["answer"] for case in cases if case["answer"])
    by_label = ", ".join(f"{label} {n}" for label, n in called.most_common())
    said = f"{called.total()} answered ({by_label})" if called else "none answered"
    without = len(cases) - called.total()
    return f"{counted(len(cases), 'sample')}: {said}{f', {without} without an answer' if called and without else ''}."
