"""What a prediction says, in the same words for the screen, JSON, CSV and a page."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from huggingface_hub import ModelCard

from ..files import write_text
from ..labels import FAMILIES, FAMILY_OF, LABELS, NAMES
from ..reports.pages import embedded, percent, render
from . import explanation
from .prediction_config import TREES, PredictionConfig
from .predictor import Predictions

WARNING = "For research use only. Not a medical device; not for diagnosis or for decisions about any patient."
_DRAWN = 50
"""Cases that a page shows one by one; all stand in its table."""


def records(
    predictions: Predictions, config: PredictionConfig, remarks: Mapping[str, Sequence[str]] | None = None
) -> list[dict]:
    """One dict a case, ready for JSON: case_id, kind, sex, burden, ``answer`` (a label, or None), ``abstains`` (why
    there is no answer, or None), ``top`` (three labels with probability and measured recall and precision), ``family``,
    ``set`` (the conformal set, most probable first), ``probabilities`` of labels and ``families``, ``mutations`` (as
    the model read them) and how many were ``left_out`` of its text, ``remarks`` (from ``inputs.remarks``)."""
    rows = predictions.cases.select(["case_id", "kind", "sex", "burden"]).to_pylist()
    out = []
    for i, (case, top) in enumerate(zip(rows, predictions.top(3), strict=True)):
        p = {label: float(x) for label, x in zip(LABELS, predictions.p[i], strict=True)}
        families = _families(p)
        family = max(FAMILIES, key=families.__getitem__)
        reason = predictions.abstains[i]
        in_set = [label for label, inside in zip(LABELS, predictions.in_set[i], strict=True) if inside]
        rendered = predictions.rendered[i]
        out.append(
            case
            | {
                "answer": None if reason else top[0][0],
                "abstains": reason,
                "top": [_ranked(label, x, config) for label, x in top],
                "family": {"label": family, "p": families[family]},
                "set": sorted(in_set, key=lambda label: -p[label]),
                "probabilities": p,
                "families": families,
                "mutations": list(rendered.mutations),
                "left_out": rendered.left_out,
                "remarks": list((remarks or {}).get(case["case_id"], [])),
            }
        )
    return out


def _families(p: Mapping[str, float]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for label, x in p.items():
        sums[FAMILY_OF[label]] += x
    return dict(sums)


def _ranked(label: str, p: float, config: PredictionConfig) -> dict:
    measured = config.performance.get(label, {})
    figures = {name: measured.get(name) for name in ("recall", "precision", "n")}
    return {"label": label, "name": NAMES[label], "family": FAMILY_OF[label], "p": p} | figures


def describe(folder: Path) -> dict:
    """What is known of a published model, ready for JSON: model, base_model, licence, headline, calibration, data
    (sources with licence, terms and citation), labels (with training cases and measured figures) and versions.

    Raises ``InputError`` when the folder holds no published model."""
    config = PredictionConfig.load(folder)
    training = json.loads((folder / TREES / "tabular.json").read_text(encoding="utf-8"))["training_cases"]
    card = ModelCard.load(folder / "README.md").data if (folder / "README.md").is_file() else None
    figures = {name: round(x, 4) for name, x in config.headline.items() if isinstance(x, float)}
    return {
        "model": str(folder),
        "base_model": card and card.base_model,
        "licence": card and card.license,
        "headline": figures | {"test_cases": config.headline.get("n")},
        "calibration": config.calibration.model_dump(mode="json"),
        "data": [
            {key: source.get(key) for key in ("name", "licence", "terms", "citation")} for source in config.sources
        ],
        "labels": [
            {"label": label, "name": NAMES[label], "family": FAMILY_OF[label], "training_cases": training[label]}
            | {figure: config.performance.get(label, {}).get(figure) for figure in ("n", "recall", "precision")}
            for label in LABELS
        ],
        "versions": {name: version(name) for name in ("torch", "transformers", "lightgbm")},
    }


def as_csv(cases: Sequence[dict]) -> str:
    """The records as CSV, one row a case: the answer, the three most probable labels, family, set, remarks and all 26
    probabilities."""
    buffer = io.StringIO()
    places = [f"{what}{i}" for i in (1, 2, 3) for what in ("label", "p")]
    fixed = ["case_id", "kind", "sex", "burden", "answer", "abstains", *places, "recall", "precision"]
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*fixed, "family", "p_family", "set", "remarks", *(f"p_{label}" for label in LABELS)])
    for case in cases:
        first = case["top"][0]
        writer.writerow(
            [
                *(case[name] for name in ("case_id", "kind", "sex", "burden", "answer", "abstains")),
                *(x for t in case["top"] for x in (t["label"], _rounded(t["p"]))),
                *(_rounded(first[name]) for name in ("recall", "precision")),
                *(case["family"]["label"], _rounded(case["family"]["p"]), " ".join(case["set"])),
                "; ".join(case["remarks"]),
                *(_rounded(case["probabilities"][label]) for label in LABELS),
            ]
        )
    return buffer.getvalue()


def _rounded(x: float | None) -> str:
    return "" if x is None else f"{x:.6f}"


def write_page(
    path: Path,
    cases: Sequence[dict],
    config: PredictionConfig,
    about: Mapping[str, str],
    explanations: Sequence[explanation.Explanation] = (),
) -> None:
    """Write one HTML file that needs no other: every case in a table, the first 50 one by one, and the pictures of
    ``explanations``. ``about``: what is said of file, model and adjustments."""
    pictures = {
        e.case_id: (
            embedded(lambda e=e: explanation.draw([e])),
            embedded(lambda e=e: explanation.draw([e], narrow=True)),
        )
        for e in explanations
        if e.effects
    }
    page = render(
        "prediction",
        "prediction.html.j2",
        {"percent": percent},
        cases=cases,
        drawn=_DRAWN,
        names=NAMES,
        about=about,
        warning=WARNING,
        coverage=config.calibration.coverage,
        simulated=config.simulated,
        pictures=pictures,
        explanations={e.case_id: e for e in explanations},
    )
    write_text(path, page)
