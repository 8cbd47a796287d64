"""What the commands print. Everything passes through one ``Screen``, which shows names from files as plain text."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..prediction.about import counted, first_of, of_companion
from .terminal import visible

if TYPE_CHECKING:
    from ..prediction.explanation import Effect, Explanation
    from ..prediction.remeasured import Remeasured
    from ..prediction.similar_cases import Similar
    from ..prediction.stored_answers import Compared

_MOST_SHOWN = 200
_TABLE_FITS = 120
"""Columns below which the table of predictions would break every word."""
_DIFFERENCES = 5
_FIGURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "top3": "top-3 accuracy",
    "log_loss": "log loss",
    "ece": "calibration error",
}


class Screen:
    """The terminal, or a file that the output is piped into."""

    def __init__(self):
        from rich.console import Console

        # Piped into a file, lines must not break at the 80 columns that rich assumes for it.
        width = None if sys.stdout.isatty() else 160
        self._console = Console(width=width, highlight=False, markup=False, emoji=False)

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        return self._console.width

    def line(self, text: object = "") -> None:
        """Print one line."""
        self._console.print(visible(text))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], whole: Sequence[str] = ()) -> None:
        """Print a table; a cell may have several lines. Lines of the columns in ``whole`` are never folded."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in columns:
            table.add_column(visible(name), overflow="fold", no_wrap=name in whole)
        for row in rows:
            table.add_row(*map(visible, row))
        self._console.print(table)

    def about(self, about: Mapping[str, str]) -> None:
        """Print what is said about file, model and adjustments."""
        for key, value in about.items():
            self.line(f"{key}: {value}")


def cases(parts: Iterable[Sequence[dict]], about: Mapping[str, str], coverage: float, common: Sequence[str]) -> None:
    """Print predictions (``answers.records``), each part as soon as it comes: as a table, or in a narrow window one
    under another. Remarks in ``common`` hold for every sample."""
    from ..prediction.answers import WARNING

    screen = Screen()
    screen.about(about)
    number = 0
    for part in parts:
        shown = part[: max(0, _MOST_SHOWN - number)]
        number += len(part)
        if screen.width < _TABLE_FITS:
            for case in shown:
                _one_case(screen, case, coverage, common)
        elif shown:
            _table_of_cases(screen, shown, coverage, common)
    for remark in common:
        screen.line(f"Every sample: {remark}.")
    if number > _MOST_SHOWN:
        screen.line(f"{counted(number - _MOST_SHOWN, 'more sample')}: write them with --csv, --json or --html.")
    screen.line(
        "Recall: the share of tested cases of that cancer that the model recognised. Precision: the share of its calls "
        f"of that cancer that were right. {_OF_ASSAY}"
    )
    screen.line(WARNING)


def _table_of_cases(screen: Screen, cases: Sequence[dict], coverage: float, common: Sequence[str]) -> None:
    from ..reports.pages import percent

    screen.table(
        ("Sample", "Answer", "Most probable", "Recall / precision", "Family", f"{percent(coverage)} set", "Note"),
        [
            (
                case["case_id"],
                case["answer"] or "none",
                "\n".join(f"{t['label']} {percent(t['p'])} {t['name']}" for t in case["top"]),
                "\n".join(_recognised(case)),
                f"{case['family']['label']} {percent(case['family']['p'])}",
                " ".join(case["set"]),
                "\n".join(filter(None, [case["abstains"], *_said_of(case, common)])),
            )
            for case in cases
        ],
        whole=("Recall / precision",),
    )


def _one_case(screen: Screen, case: Mapping, coverage: float, common: Sequence[str]) -> None:
    from ..reports.pages import percent

    screen.line()
    screen.line(f"{case['case_id']}: {case['answer'] or 'no answer, ' + case['abstains']}")
    for ranked in case["top"]:
        figures = f"recall {_recall(ranked)}, precision {percent(ranked['precision'])}"
        screen.line(f"  {ranked['label']:<6} {percent(ranked['p']):>4}  {ranked['name']}")
        screen.line(f"{'':15}{figures} ({ranked['seen_through'] or _OF_ALL})")
    screen.line(f"  {percent(coverage)} set: {' '.join(case['set'])}")
    screen.line(f"  family: {case['family']['label']} {percent(case['family']['p'])}")
    for said in filter(None, _said_of(case, common)):
        screen.line(f"  {said}")


_OF_ASSAY = (
    "Where an assay is named, the tested cases are seen through it. All test cases are seen as they are, with all that "
    "is known of each."
)
_OF_ALL = "all test cases"


def _recognised(case: Mapping) -> list[str]:
    """Recall and precision of each label, one a line, and then which test cases they are of."""
    from ..reports.pages import percent

    top = case["top"]
    lines = [f"{each['label']} {_recall(each)} / {percent(each['precision'])}" for each in top]
    by_row: dict[str, list[str]] = {}
    for each in top:
        by_row.setdefault(each["seen_through"] or _OF_ALL, []).append(each["label"])
    if len(by_row) == 1:
        return [*lines, *(f"({row})" for row in by_row)]
    return [*lines, *(f"({' '.join(labels)}: {row})" for row, labels in by_row.items())]


def _recall(ranked: Mapping) -> str:
    """``80% of 10``: the recall and the number of tested cases."""
    from ..reports.pages import percent

    return percent(ranked["recall"]) + (f" of {ranked['n']}" if ranked["n"] else "")


def _said_of(case: Mapping, common: Sequence[str]) -> list[str]:
    """How a list's mutations are read, and the remarks that do not hold for every sample."""
    from ..prediction.answers import given_in_words

    return [given_in_words(case), *(remark for remark in case["remarks"] if remark not in common)]


def explanations(
    explained: "Sequence[Explanation]", evidence: Sequence[Sequence[Mapping]], about: Mapping[str, str], n_samples: int
) -> None:
    """Print explanations of some of ``n_samples`` samples, each with the ``evidence`` of its record."""
    from ..labels import NAMES
    from ..prediction.answers import WARNING
    from ..reports.pages import percent

    screen = Screen()
    screen.about(about)
    for case, facts in zip(explained, evidence, strict=True):
        screen.line()
        screen.line(f"{case.case_id}: {case.label} ({NAMES[case.label]}), {percent(case.p)}")
        if case.effects:
            rows = [_effect(effect, case.label) for effect in case.effects]
            rows.append(("without all of these", percent(case.without_all), ""))
            rows += [_effect(effect, case.label) for effect in case.groups]
            screen.table(("Alteration", "Without it", "Bits"), rows)
        else:
            screen.line("no informative mutation: burden, spectrum and sex alone decide")
        if facts:
            rows = [
                (f["alteration"], percent(f["share"]), percent(f["elsewhere"]), f"{round(f['bits'], 1) + 0:+.1f}")
                for f in facts
            ]
            screen.table(("Training cases", case.label, "Other cancers", "Bits"), rows)
        if case.similar:
            screen.table(("Most similar training cases", "Label", "Similarity", "In common"), _similar(case.similar))
        if case.not_tried:
            screen.line(f"{case.not_tried} less informative mutations were not tried: raise --most")
    if n_samples > len(explained):
        screen.line()
        screen.line(f"{counted(n_samples - len(explained), 'more sample')}: name them with --sample.")
    screen.line(
        "Bits: the cancer's log2 odds with the mutation minus those without it. A negative value speaks against it."
    )
    screen.line(
        "Mutations that carry the same information replace each other, so leaving out one of them changes little: "
        "compare with the line without all of these."
    )
    screen.line(WARNING)


def _similar(cases: "Sequence[Similar]") -> list[tuple[str, str, str, str]]:
    """Training cases with what they share, the rarest three of it by name."""
    return [(case.case_id, case.label, f"{case.similarity:.2f}", first_of(case.shared, 3)) for case in cases]


def _effect(effect: "Effect", label: str) -> tuple[str, str, str]:
    """An alteration, what is left of ``label`` without it and which label would then come first, and its bits."""
    from ..reports.pages import percent

    then = "" if effect.first == label else f", then {effect.first} {percent(effect.p_first)}"
    return effect.mutation, f"{percent(effect.without)}{then}", f"{round(effect.bits, 2) + 0:+.2f}"


def reproduced(compared: "Sequence[Compared]", tolerance: float) -> None:
    """Print stored answers beside those found here, the largest difference first."""
    from ..reports.pages import percent

    screen = Screen()
    shown = compared[:_DIFFERENCES]
    rows = [(e.name, e.text, e.label, percent(e.stored), percent(e.here), f"{e.difference:.6f}") for e in shown]
    screen.table(("Case", "Mutations", "Label", "Released", "Here", "Largest difference"), rows)
    if len(compared) > len(shown):
        screen.line(f"{counted(len(compared) - len(shown), 'more case')} with smaller differences.")
    apart = sum(each.difference > tolerance for each in compared)
    screen.line(
        f"{apart} of {counted(len(compared), 'answer')} differ by more than {tolerance:g}: this environment does not "
        "give the released model's answers. Install the pinned requirements (requirements.txt)."
        if apart
        else f"All {counted(len(compared), 'answer')} are those of the release, within {tolerance:g}."
    )


def remeasured(again: "Remeasured") -> None:
    """Print the figures of the test split where the model was released, and here."""
    screen = Screen()
    rows = [(figure.name, f"{figure.stored:.4f}", f"{figure.here:.4f}") for figure in again.figures]
    rows.insert(0, ("test cases", f"{again.stored_n:,}", f"{again.n:,}"))
    screen.table(("Test split", "Released", "Here"), rows)
    if again.n != again.stored_n:
        screen.line("The test split is another one: give all locations of the model's data, and no others.")
    elif not again.agrees:
        screen.line("The figures are not those of the release.")


def summary(summary: Mapping) -> None:
    """Print what a file contains (``summary.summary``) and what becomes of its rows."""
    screen = Screen()
    screen.line(f"{summary['name']}: {summary['form']}, {counted(summary['samples'], 'sample')}")
    if summary["unit"]:
        screen.line(f"used: {counted(summary['mutations'], 'mutation')} ({listed(summary['consequences'])})")
    if summary["alterations"]:
        screen.line(f"copy number and fusions: {listed(summary['alterations'])}")
    screen.line(f"assay: {summary['assay']}")
    for remark, n in summary["remarks"].items():
        screen.line(f"{counted(n, 'sample')}: {remark}")
    if missing := summary["without_mutation"]:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        screen.line(f"no mutation that counts in {counted(len(missing), 'sample')}: {', '.join(missing[:5])}{more}")
    if summary.get("account"):
        _account(screen, summary["account"])
    if summary["ignored"]:
        rows = [(row["n"], row["what"], row["reason"], "\n".join(row["examples"][:2])) for row in summary["ignored"]]
        screen.table(("Ignored", "What", "Why", "For example"), rows)
    if unused := summary["unused_columns"]:
        screen.line(f"{counted(len(unused), 'column')} not read: {', '.join(unused)}")
    if unknown := summary["unknown_genes"]:
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        screen.line(
            "not known as gene symbols, though their mutations count in the burden: "
            f"{listed(dict(list(unknown.items())[:10]))}{more}"
        )
    if not summary["unit"]:
        return
    if not summary["wrong_rows"]:
        screen.line("nothing is wrong in any row")
        return
    screen.line(f"wrong or not understood in {counted(summary['wrong_rows'], 'place')}:")
    for problem in summary["wrong"]:
        screen.line(f"  {summary['unit']} {problem['line']}: {problem['what']}")
    if summary["wrong_rows"] > len(summary["wrong"]):
        screen.line(f"  and {summary['wrong_rows'] - len(summary['wrong'])} more (--limit)")


def _account(screen: Screen, account: Mapping) -> None:
    """Print what became of every row: the numbers sum to the last one."""
    unit = account["unit"]
    rows = [(f"{account['used']:,}", "used", "")]
    for what, key in (("left out", "left_out"), ("not understood", "not_understood")):
        rows += [(f"{n:,}", what, reason) for reason, n in sorted(account[key].items(), key=lambda item: -item[1])]
    rows.append((f"{account['total']:,}", "in all", ""))
    screen.table((f"{unit[:1].upper()}{unit[1:]}s", "What became of them", "Why"), rows)


def companion(found: Mapping) -> None:
    """Print what a file beside the mutations gave (``companions.in_json``), and what did not match."""
    screen = Screen()
    screen.line(of_companion(found))
    for reason, names in found["unmatched"].items():
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        screen.line(f"{counted(len(names), 'sample')} not used, because {reason}: {', '.join(names[:5])}{more}")
    if found["unmatched"]:
        screen.line("a sample of the mutations gets another name with --sample NEW=OLD")
    if found["account"]:
        _account(screen, found["account"])
    if found["ignored"]:
        rows = [(row["n"], row["what"], row["reason"], "\n".join(row["examples"][:2])) for row in found["ignored"]]
        screen.table(("Ignored", "What", "Why", "For example"), rows)


def assays(known: Sequence[Mapping]) -> None:
    """Print the named assays (``assay.table``)."""
    screen = Screen()
    answers = {True: "yes", False: "no", None: "–"}
    screen.table(
        ("Name", "Kind", "Genes", "Mb", "Copy number", "Fusions", "What it is"),
        [
            (
                *(row[key] if row[key] is not None else "–" for key in ("name", "kind", "genes", "megabases")),
                *(answers[row[key]] for key in ("copy_number", "fusions")),
                row["title"],
            )
            for row in known
        ],
    )
    screen.table(
        ("Name", "Version", "Source of its genes"),
        [(row["name"], row["version"] or "–", row["source"]) for row in known if row["source"]],
        whole=("Name",),
    )
    screen.line("Give one with --assay NAME, or your own genes with --assay FILE. GENIE's ids are known as well.")


def info(about: Mapping) -> None:
    """Print what a model is (``answers.describe``), first the figures of what answers."""
    from ..prediction import training_data
    from ..reports.pages import percent

    screen = Screen()
    release = f"release {about['release']}, " if about["release"] else ""
    screen.line(f"model: {about['model']} ({release}id {about['id'] or 'unknown, it has no manifest'})")
    tested = about["headline"].get("test_cases")
    of_cases = f" ({tested:,} test cases)" if isinstance(tested, int) else ""
    screen.line(f"measured{of_cases}: {_figures(about['headline'])}")
    for name, figures in about["parts"].items():
        screen.line(f"  {name}: {_figures(figures)}")
    fitted = about["calibration"].get("cases")
    screen.line(
        f"thresholds: no answer below a probability of {about['abstain_below']:g}; sets made to contain the "
        f"right cancer in {percent(about['coverage'])} of cases"
        + (f"; fitted on {fitted:,} validation cases" if fitted else "")
    )
    screen.line(f"base model: {about['base_model'] or 'unknown'}")
    screen.line(f"licence: {about['licence'] or 'unknown'}")
    screen.line(f"versions: cancertype {about['version']}, {listed(about['versions'])}")
    screen.table(
        ("Data", "Licence", "Terms", "Citation"),
        [
            (
                training_data.name(source, source["folders"]),
                source["licence"],
                source["terms"] or "",
                source["citation"],
            )
            for source in about["data"]
        ],
    )
    screen.table(
        ("Label", "Cancer", "Family", "Training cases", "Tested", "Recall", "Precision"),
        [
            (
                *(row[key] for key in ("label", "name", "family", "training_cases")),
                "–" if row["n"] is None else row["n"],
                *(percent(row["recall"]), percent(row["precision"])),
            )
            for row in about["labels"]
        ],
    )


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {figures[key]:.3f}" for key, name in _FIGURES.items() if key in figures) or "no figures"


def listed(counts: Mapping[str, object]) -> str:
    """``missense 3, nonsense 1``."""
    return ", ".join(f"{name} {n}" for name, n in counts.items())
