"""The evaluation report: data files for ``dvc plots``, pictures, and one self-contained page."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..evaluation import metrics
from ..evaluation.evaluate import EvaluationResult
from ..files import write_bytes, write_text
from ..labels import LABELS, NAMES
from ..variants.cases import NOTHING
from .pages import BLUE, GREY, INK, ORANGE, RULE, embedded, picture, render, styled

TITLES = {
    "blend": "Language model + trees",
    "language_model": "Language model",
    "trees": "Boosted trees",
    "logistic": "Logistic regression",
    "majority": "Commonest label",
}

SOURCES = {
    "tcga": "TCGA",
    "depmap": "DepMap",
    "cbioportal": "cBioPortal",
    "table": "the user's table",
    "simulated_tcga": "simulated TCGA",
    "simulated_depmap": "simulated DepMap",
}

_COLOURS = {"final": BLUE, "language_model": ORANGE, "tabular": GREY}
_MISS_PAIRS = 6
_MISS_EXAMPLES = 2
_MUTATIONS_SHOWN = 10


@dataclass(frozen=True)
class Roles:
    """Which model has which role: ``final`` is what users get, ``tabular`` the best tabular model, if there is one."""

    final: str
    tabular: str | None

    def items(self) -> list[tuple[str, str]]:
        """(role, model), the final one first; the language model only where it is not the final one."""
        pairs = [("final", self.final)]
        if self.final != "language_model":
            pairs.append(("language_model", "language_model"))
        return pairs + ([("tabular", self.tabular)] if self.tabular else [])


def roles(details: dict) -> Roles:
    """The roles of the models in an evaluation."""
    comparison = details["comparison"]
    return Roles(details["final"], comparison["best_tabular"] if comparison else None)


def write_plots(
    folder: Path,
    result: EvaluationResult,
    training_loss: pd.DataFrame | None = None,
    validation_loss: pd.DataFrame | None = None,
) -> None:
    """Write the data files of ``dvc plots`` and a PNG of each picture into ``folder``.

    ``confusion.csv``: actual and predicted label of the final model, one row per test case. ``reliability/``,
    ``risk_coverage/`` and ``f1/`` hold ``final.csv``, and ``language_model.csv`` and ``tabular.csv`` where there are
    such models beside the final one. ``pictures/*.png``: the pictures of the page, with the losses where
    they are given.
    """
    folder = Path(folder)
    y, part = _truth(result), roles(result.details)
    predicted = result.probabilities[part.final].argmax(axis=1)
    pairs = [{"actual": LABELS[i], "predicted": LABELS[j]} for i, j in zip(y, predicted, strict=True)]
    _write_csv(folder / "confusion.csv", ("actual", "predicted"), pairs)
    for role, name in part.items():
        filled = [row for row in result.details["reliability"][name] if row["n"]]
        _write_csv(folder / "reliability" / f"{role}.csv", ("confidence", "accuracy", "n", "low", "high"), filled)
        curve = metrics.risk_coverage(y, result.probabilities[name])
        _write_csv(folder / "risk_coverage" / f"{role}.csv", ("coverage", "risk"), curve)
        scored = [row for row in result.details["per_label"][name] if row["n"]]
        _write_csv(folder / "f1" / f"{role}.csv", ("label", "f1", "precision", "recall", "n"), scored)
    for name, draw in _pictures(result, training_loss, validation_loss).items():
        write_bytes(folder / "pictures" / f"{name}.png", picture(draw, "png"))


def write_report(
    path: Path,
    result: EvaluationResult,
    about: dict[str, str],
    training_loss: pd.DataFrame | None = None,
    validation_loss: pd.DataFrame | None = None,
    *,
    examples: bool = True,
) -> None:
    """Write the page, one HTML file that needs no other. ``examples`` shows single cases with their mutations: leave
    them out of a page that goes to others.

    ``about``: what data and code were used, as label to text (commit, release, base model, licence ...). The losses
    have the columns step and loss. Examples of confusions show the column ``mutations`` of the predictions (texts
    joined by a comma and a space) if there is one.
    """
    details, part = result.details, roles(result.details)
    drawings = _pictures(result, training_loss, validation_loss)
    page = render(
        "reports",
        "evaluation_report.html.j2",
        {"percent": percent, "number": number, "points": points, "signed": signed, "in_words": in_words},
        d=details,
        final=part.final,
        tabular=part.tabular,
        titles=TITLES,
        sources=SOURCES,
        names=NAMES,
        statements=statements(details),
        pictures={name: embedded(draw) for name, draw in drawings.items()},
        misses=_misses(result, _MISS_EXAMPLES if examples else 0),
        tabular_f1={row["label"]: row["f1"] for row in details["per_label"].get(part.tabular, [])},
        sets={row["label"]: row for row in details["conformal"]["per_label"]},
        about=about,
        with_copy_number=any("+" in row for row in details["assays"]),
        bootstrap=details["models"][part.final]["strict"]["accuracy"]["low"] is not None,
    )
    write_text(path, page)


def percent(figure: dict | float | None, digits: int = 1) -> str:
    """``60.4%`` or, with an interval, ``60.4% (57.8 to 63.0)``; an en dash for none."""
    return _with_interval(figure, lambda value: f"{100 * value:.{digits}f}", "%")


def number(figure: dict | float | None, digits: int = 2) -> str:
    """``1.31`` or, with an interval, ``1.31 (1.23 to 1.39)``; an en dash for none."""
    return _with_interval(figure, lambda value: f"{value:.{digits}f}", "")


def signed(figure: dict) -> str:
    """A difference, ``−0.04 (−0.06 to −0.03)``."""
    return _with_interval(figure, lambda value: f"{value:+.2f}".replace("-", "−"), "")


def points(figure: dict) -> str:
    """A difference of shares in percentage points, ``+1.7 points (+0.4 to +3.0)``."""
    return _with_interval(figure, lambda value: f"{100 * value:+.1f}".replace("-", "−"), "\u00a0points")


def _with_interval(figure: dict | float | None, write: Callable[[float], str], unit: str) -> str:
    whole = figure if isinstance(figure, dict) else {"value": figure, "low": None, "high": None}
    if whole["value"] is None:
        return "–"
    interval = "" if whole["low"] is None else f" ({write(whole['low'])} to {write(whole['high'])})"
    return write(whole["value"]) + unit + interval


def statements(details: dict) -> list[dict]:
    """How our models compare with the best tabular model: rows of verdict, title and text, the final model first."""
    comparison, part = details["comparison"], roles(details)
    if not comparison:
        accuracy = percent(details["models"][part.final]["strict"]["accuracy"])
        text = f"{TITLES[part.final]}: {accuracy} of test cases are right. No tabular model was measured."
        return [{"verdict": "undecided", "title": "No tabular model to compare with", "text": text}]
    against = {"better": "better than", "worse": "worse than", "undecided": "not shown to differ from"}
    rows = []
    for _, name in part.items():
        if name == part.tabular:
            continue
        paired, best = comparison[name], TITLES[part.tabular].lower()
        ours, theirs = (details["models"][model]["strict"]["accuracy"]["value"] for model in (name, part.tabular))
        text = (
            f"{percent(ours)} of cases are right, against {percent(theirs)}. The difference is "
            f"{points(paired['accuracy'])}. "
            f"McNemar’s exact test: {_p_value(paired['mcnemar']['p_value'])}. Log loss differs by "
            f"{signed(paired['log_loss'])}, and less is better."
        )
        title = f"{TITLES[name]}: {against[paired['verdict']]} the best tabular model, {best}"
        rows.append({"verdict": paired["verdict"], "title": title, "text": text})
    return rows


def _p_value(p: float) -> str:
    return "p\u00a0<\u00a00.001" if p < 0.001 else f"p\u00a0=\u00a0{p:.2g}"


def _truth(result: EvaluationResult) -> np.ndarray:
    return metrics.encode(_test(result)["label"])


def _test(result: EvaluationResult) -> pd.DataFrame:
    return result.predictions[result.predictions["split"] == "test"].reset_index(drop=True)


def _misses(result: EvaluationResult, most: int) -> list[dict]:
    """The commonest confusions, each with at most ``most`` cases in which the model was most certain of its error."""
    test, p = _test(result), result.probabilities[result.details["final"]]
    y, predicted = metrics.encode(test["label"]), p.argmax(axis=1)
    rows = []
    for pair in result.details["confusions"][:_MISS_PAIRS]:
        wrong = np.flatnonzero((y == LABELS.index(pair["actual"])) & (predicted == LABELS.index(pair["predicted"])))
        most_certain = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:most]
        rows.append(pair | {"examples": [_example(test.iloc[i], p[i]) for i in most_certain]})
    return rows


def _example(case: pd.Series, p: np.ndarray) -> dict:
    text = case["mutations"] if "mutations" in case.index else ""
    named = text.split(", ") if text else []
    shown = ", ".join(named[:_MUTATIONS_SHOWN]) + (" …" if len(named) > _MUTATIONS_SHOWN else "")
    top = [{"label": LABELS[i], "p": float(p[i])} for i in np.argsort(-p, kind="stable")[:3]]
    about = {"case_id": case["case_id"], "source": case["source"], "n_mutations": int(case["n_mutations"])}
    return about | {"mutations": shown, "top": top, "p_actual": float(p[LABELS.index(case["label"])])}


def _pictures(
    result: EvaluationResult, training_loss: pd.DataFrame | None, validation_loss: pd.DataFrame | None
) -> dict[str, Callable[[], Figure]]:
    y, part = _truth(result), roles(result.details)
    drawings = {
        "models": lambda: _draw_models(result.details),
        "reliability": lambda: _draw_reliability(result.details, part),
        "risk_coverage": lambda: _draw_risk_coverage(result, y, part),
        "f1": lambda: _draw_f1(result.details, part),
        "confusion": lambda: _draw_confusion(y, result.probabilities[part.final].argmax(axis=1), TITLES[part.final]),
    }
    if any(found["n"] for found in result.details["assays"].values()):
        drawings["assays"] = lambda: draw_assays(result.details)
    if training_loss is not None and len(training_loss):
        drawings["loss"] = lambda: _draw_loss(training_loss, validation_loss)
    return drawings


def _draw_models(details: dict) -> Figure:
    """Accuracy and macro-F1 of every model with their intervals, the most accurate at the top."""
    strict = {name: view["strict"] for name, view in details["models"].items()}
    order = sorted(strict, key=lambda name: strict[name]["accuracy"]["value"])
    colours = dict.fromkeys(order, GREY) | {"language_model": ORANGE, details["final"]: BLUE}
    with styled(9.0, 0.4 * len(order) + 0.8, ncols=2, sharey=True) as (figure, axes):
        columns = (("accuracy", "Accuracy", percent), ("macro_f1", "Macro-F1", lambda value: number(value, 3)))
        for ax, (key, title, write) in zip(axes[0], columns, strict=True):
            highest = max(view[key]["high"] or view[key]["value"] for view in strict.values())
            for row, name in enumerate(order):
                _dot_with_interval(ax, strict[name][key], row, colours[name], write)
            ax.set(title=title, xlim=(0, min(1.0, highest + 0.05) * 1.12), yticks=range(len(order)))
            ax.set(yticklabels=[TITLES[name] for name in order], ylim=(-0.6, len(order) - 0.4))
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        axes[0, 0].xaxis.set_major_formatter(PercentFormatter(1.0))
    return figure


def in_words(row: str) -> str:
    """The name of a row of the grid for readers: ``exome+arms`` as "exome + arms", ``nothing+arms`` as "arms alone"."""
    assay, *shown = row.split("+")
    return f"{' + '.join(shown)} alone" if assay == NOTHING else " + ".join([assay, *shown])


def draw_assays(details: dict) -> Figure:
    """Accuracy of each model on each row of the grid, with intervals."""
    rows = {row: found["models"] for row, found in details["assays"].items() if found["n"]}
    names = [name for name in TITLES if name != "majority" and any(name in models for models in rows.values())]
    colours = dict(zip(names, (BLUE, ORANGE, GREY, RULE), strict=False))
    with styled(8.4, 1.0 + 0.62 * len(rows)) as (figure, axes):
        ax = axes[0, 0]
        for place, models in enumerate(rows.values()):
            for offset, name in enumerate(name for name in names if name in models):
                accuracy, y = models[name]["accuracy"], place + 0.17 * (offset - (len(names) - 1) / 2)
                if accuracy["low"] is not None:
                    ax.plot([accuracy["low"], accuracy["high"]], [y, y], color=colours[name], linewidth=1.6)
                title = TITLES[name] if not place else None
                ax.plot(accuracy["value"], y, "o", color=colours[name], markersize=5, label=title)
        ax.set(yticks=range(len(rows)), yticklabels=list(map(in_words, rows)))
        ax.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5), xlabel="right among all test cases")
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(names), frameon=False)
    return figure


def _dot_with_interval(ax: Axes, figure: dict, row: float, colour: str, write: Callable[[float], str]) -> None:
    right = figure["value"] if figure["high"] is None else figure["high"]
    if figure["low"] is not None:
        ax.plot([figure["low"], figure["high"]], [row, row], color=colour, linewidth=2.6, solid_capstyle="butt")
    ax.plot(figure["value"], row, "o", color=colour, markersize=6.5, markeredgecolor="white", clip_on=False, zorder=3)
    ax.annotate(write(figure["value"]), (right, row), (7, 0), textcoords="offset points", va="center")


def _draw_reliability(details: dict, part: Roles) -> Figure:
    """Accuracy against top probability; below it, the number of cases in each bin of the final model."""
    with styled(3.9, 4.1, nrows=2, sharex=True, height_ratios=(3.2, 1)) as (figure, axes):
        top, bottom = axes[:, 0]
        top.plot([0, 1], [0, 1], color="#9aa5ae", linewidth=1, linestyle=(0, (3, 3)), label="Perfect")
        for role, name in reversed(part.items()):
            rows = [row for row in details["reliability"][name] if row["n"]]
            top.plot(
                [row["confidence"] for row in rows],
                [row["accuracy"] for row in rows],
                marker="o",
                markersize=4.5 if role == "final" else 3,
                linewidth=2 if role == "final" else 1.2,
                color=_COLOURS[role],
                label=TITLES[name],
            )
        rows = details["reliability"][part.final]
        bottom.bar([(row["low"] + row["high"]) / 2 for row in rows], [row["n"] for row in rows], 0.085, color=BLUE)
        top.set(title="Are the probabilities right?", ylabel="Share right", xlim=(0, 1), ylim=(0, 1.02))
        bottom.set(xlabel="Top probability", ylabel="Cases")
        for ax, axis in ((top, top.yaxis), (bottom, bottom.xaxis)):
            axis.set_major_formatter(PercentFormatter(1.0))
            ax.grid(axis="y")
        top.legend(loc="upper left", fontsize=8)
    return figure


def _draw_risk_coverage(result: EvaluationResult, y: np.ndarray, part: Roles) -> Figure:
    """The share of errors among the most certain cases; dots mark the thresholds on the final model's curve."""
    with styled(3.9, 4.1) as (figure, axes):
        ax = axes[0, 0]
        highest = 0.0
        for role, name in reversed(part.items()):
            # One error among the first few cases would be a spike that hides the rest.
            curve = [
                row for row in metrics.risk_coverage(y, result.probabilities[name]) if row["coverage"] * len(y) >= 10
            ]
            coverage, risk = [row["coverage"] for row in curve], [row["risk"] for row in curve]
            highest = max(highest, *risk, 0.0)
            ax.plot(coverage, risk, color=_COLOURS[role], linewidth=2 if role == "final" else 1.2, label=TITLES[name])
        for row in result.details["thresholds"][part.final]:
            if row["n"]:
                place = (row["coverage"]["value"], 1 - row["accuracy"]["value"])
                ax.plot(*place, "o", color=BLUE, markersize=6, markeredgecolor="white", clip_on=False, zorder=3)
                style = {"textcoords": "offset points", "color": BLUE, "fontsize": 8, "va": "center"}
                style["bbox"] = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
                # On the axis itself the text would cover the numbers below it.
                ax.annotate(f"p ≥ {row['threshold']:g}", place, xytext=(8, 7 if place[1] < 0.02 else -4), **style)
        ax.set(title="Errors among the most certain cases", xlabel="Share of cases answered", ylabel="Share wrong")
        ax.set(xlim=(0, 1), ylim=(0, min(1.0, 1.35 * highest + 0.02)))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0))
        ax.grid()
        ax.legend(loc="upper left", fontsize=8)
    return figure


def _draw_f1(details: dict, part: Roles) -> Figure:
    """F1 of each label for the final model and the best tabular model, best label at the top."""
    rows = sorted((row for row in details["per_label"][part.final] if row["n"]), key=lambda row: row["f1"])
    other = {row["label"]: row["f1"] for row in details["per_label"].get(part.tabular, [])}
    with styled(8.4, 0.235 * len(rows) + 1.0) as (figure, axes):
        ax = axes[0, 0]
        for place, row in enumerate(rows):
            if other:
                ax.plot([other[row["label"]], row["f1"]], [place, place], color=RULE, linewidth=3, zorder=1)
        if other:
            beside = [other[row["label"]] for row in rows]
            ax.scatter(beside, range(len(rows)), s=34, color="white", edgecolor=GREY, linewidth=1.5, zorder=2)
            ax.scatter([], [], s=34, color="white", edgecolor=GREY, linewidth=1.5, label=TITLES[part.tabular])
        ax.scatter([row["f1"] for row in rows], range(len(rows)), s=40, color=BLUE, zorder=3, label=TITLES[part.final])
        ticks = [f"{NAMES[row['label']]}  {row['label']} ({row['n']})" for row in rows]
        ax.set(yticks=range(len(rows)), yticklabels=ticks, xlim=(-0.02, 1.02), ylim=(-0.7, len(rows) - 0.3))
        ax.set(xlabel="F1", title=f"F1 of each label: {TITLES[part.final].lower()} (test cases in brackets)")
        ax.tick_params(axis="y", length=0, labelsize=8)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x")
        ax.legend(loc="lower right", fontsize=8)
    return figure


def _draw_confusion(y: np.ndarray, predicted: np.ndarray, model: str) -> Figure:
    """What share of each actual label's cases ``model`` calls what, for labels in the test set or the predictions."""
    shown = sorted(set(y) | set(predicted))
    counts = np.zeros((len(LABELS), len(LABELS)))
    np.add.at(counts, (y, predicted), 1)
    counts = counts[np.ix_(shown, shown)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [LABELS[i] for i in shown]
    with styled(8.4, 7.9) as (figure, axes):
        ax = axes[0, 0]
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.argwhere(share >= 0.05):
            colour = "white" if share[i, j] > 0.55 else INK
            ax.text(j, i, f"{100 * share[i, j]:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
        ax.set_yticks(range(len(names)), names, fontsize=7)
        ax.set(
            xlabel="Predicted",
            ylabel="Actual",
            title=f"Of 100 cases of each cancer, how many were called what ({model.lower()})",
        )
        ax.tick_params(length=0)
        for spine in ax.spines.values():
            spine.set_visible(False)
    return figure


def _draw_loss(training: pd.DataFrame, validation: pd.DataFrame | None) -> Figure:
    with styled(8.4, 2.9) as (figure, axes):
        ax = axes[0, 0]
        ax.plot(training["step"], training["loss"], color=GREY, linewidth=1.3, label="Training")
        if validation is not None and len(validation):
            ax.plot(validation["step"], validation["loss"], "o-", color=BLUE, markersize=4, label="Validation")
        ax.set(title="Loss of the language model", xlabel="Step", ylabel="Nats per case")
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
        ax.legend(loc="upper right", fontsize=8)
    return figure


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[dict]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, buffer.getvalue())
