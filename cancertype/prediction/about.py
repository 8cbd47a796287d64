"""What is said about input, model and adjustments beside every result."""

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .inputs import Input
    from .predictor import Predictor

_MOST_FILES, _MOST_PROBLEMS = 5, 5


def about(
    found: "Input",
    predictor: "Predictor",
    model: Mapping,
    *,
    prior: str | None = None,
    sex: str | None = None,
    rule_out: bool = False,
    histology: str | None = None,
    site: str | None = None,
) -> dict[str, str]:
    """Heading to text. ``model`` is ``answers.identity``, ``prior`` the name of its file; the others are what the user
    says of every sample."""
    # The command line imports this module for its words alone.
    from . import assumed_assay, companions

    said = {"Input": _input(found), "Model": _model(predictor, model)}
    if predictor.fast:
        said["Answered by"] = "the trees alone (--fast)"
    if found.companions:
        said["Beside it"] = "; ".join(of_companion(companions.in_json(each)) for each in found.companions)
    said["Assay"] = assumed_assay.in_words(found.assays)
    if problems := _problems(found):
        said["Not understood"] = problems
    if prior:
        said["Prior"] = (
            f"{prior}: each probability is multiplied by the prior's share / the training share. The sets keep their "
            "coverage only for the training mix"
        )
    if histology:
        from .histology import labels

        could_be = ", ".join(labels(histology))
        said["Histology"] = f"{histology}, for every sample; possible: {could_be}"
    if site:
        said["Site of the biopsy"] = f"{site} (not read by the model)"
    if sex:
        ruled_out = ", ruling out organs that this sex does not have" if rule_out else ""
        said["Sex"] = f"{sex}, for every sample{ruled_out}"
    return said


def _input(found: "Input") -> str:
    files = found.parts or (found,)
    sources = ", ".join(f"{each.name} ({each.form})" for each in files[:_MOST_FILES])
    if len(files) > _MOST_FILES:
        sources += f" and {len(files) - _MOST_FILES} more"
    left_out = sum(dropped.n for dropped in found.tables.dropped if dropped.what in ("variant", "row"))
    return (
        f"{sources}: {counted(found.tables.cases.num_rows, 'sample')}, "
        f"{counted(found.tables.variants.num_rows, 'mutation')} used, {counted(left_out, 'row')} ignored "
        "(cancertype validate shows which)"
    )


def _model(predictor: "Predictor", model: Mapping) -> str:
    """Who answered, when, and what it was trained on."""
    from . import training_data

    sources = "; ".join(training_data.names(predictor.config.sources))
    simulated = ": simulated cases, so nothing here says anything about real tumours"
    return (
        f"{model['release'] + ', ' if model['release'] else ''}"
        f"{'id ' + model['id'] if model['id'] else 'without an id'}, cancertype {model['version']}, asked on "
        f"{datetime.date.today().isoformat()}; trained on {sources}{simulated if predictor.config.simulated else ''}"
    )


def _problems(found: "Input") -> str:
    """The first places that were not understood, each with its file where there are several."""
    files = found.parts or (found,)
    problems = [(each, problem) for each in files for problem in each.problems]
    shown = "; ".join(
        f"{each.name + ', ' if len(files) > 1 else ''}line {problem.line}: {problem.what}"
        for each, problem in problems[:_MOST_PROBLEMS]
    )
    more = len(problems) - _MOST_PROBLEMS
    return f"{shown}; and {more} more" if more > 0 else shown


def of_companion(found: Mapping) -> str:
    """``a.seg (copy number, segments): 3 of 5 samples matched``, from ``companions.in_json``."""
    layout = f", {found['layout']}" if found["layout"] else ""
    said = f"{found['name']} ({found['what']}{layout}): {found['matched']:,} of {counted(found['samples'], 'sample')}"
    taken = f", taken for {found['taken_for']}, the only one given" if found["taken_for"] else ""
    missing = [name for names in found["unmatched"].values() for name in names]
    listed_names = f", not {_first(missing)}" if missing else ""
    reasons = "".join(
        f"; copy number of {_first(names)} not used: {reason}" for reason, names in found["not_used"].items()
    )
    return f"{said} {'used' if reasons else 'matched'}{taken}{listed_names}{reasons}"


def _first(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"


def first_of(names: Sequence[str], most: int) -> str:
    """``A, B, and 2 more``: of more than ``most`` names, the first ones."""
    more = len(names) - most
    return ", ".join([*names[:most], *([f"and {more} more"] if more > 0 else [])])


def counted(n: int, what: str) -> str:
    """``1 sample``, ``2 samples``."""
    return f"{n:,} {what}" + ("" if n == 1 else "s")
