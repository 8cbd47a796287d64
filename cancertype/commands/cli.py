"""The command line: predict, explain, validate and info.

Nothing heavy is imported before a command needs it, so that help and mistakes answer at once.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from ..errors import InputError
from ..prediction.model_folder import default_folder, model_folder

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from ..cohort.settings import Cohort
    from ..prediction.explanation import Explanation
    from ..prediction.inputs import Input
    from ..prediction.prediction_config import PredictionConfig
    from ..prediction.predictor import Predictor

_EXPLAINED = 10
_SHOWN = 200


class _Commands(TyperGroup):
    """Turns what a user can mend into one line on stderr and the exit status 1."""

    def invoke(self, ctx: typer.Context):
        try:
            return super().invoke(ctx)
        except InputError as error:
            typer.echo(f"cancertype: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which of 26 cancers is it? From somatic mutations to calibrated probabilities. For research use only.",
)


class Kind(StrEnum):
    """What was sequenced."""

    TUMOUR = "tumour"
    CELL_LINE = "cell-line"


class Sex(StrEnum):
    """The patient's sex."""

    FEMALE = "female"
    MALE = "male"


Given = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="MAF, DepMap mutations, wide table, annotated VCF or text (any of them packed with gzip or not); "
        'the text itself, such as "BRAF V600E, CDKN2A R80*"; or - for standard input.',
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Folder of a published model, or a Hub id. Default: released, else models/published.",
        show_default=False,
    ),
]
Revision = Annotated[str | None, typer.Option(help="Branch, tag or commit of a model on the Hub.", show_default=False)]
PriorFile = Annotated[
    Path | None,
    typer.Option(
        help="Table of the columns label and share: how frequent each cancer is among your samples. "
        "A label that it leaves out is ruled out.",
        show_default=False,
    ),
]
OfSex = Annotated[
    Sex | None, typer.Option(help="Of every sample; the models read it like a mutation.", show_default=False)
]
RuleOut = Annotated[
    bool,
    typer.Option(
        "--rule-out-by-sex",
        help="With --sex: give cancers of organs that this sex lacks no probability "
        "(female: PRAD, TGCT; male: CESC, OV, UCEC).",
    ),
]
OfKind = Annotated[
    Kind | None,
    typer.Option(help="Of every sample. Default: cell-line for DepMap's layout, else tumour.", show_default=False),
]
PanelFile = Annotated[
    Path | None,
    typer.Option(help="File of the genes that were sequenced, where it was no whole exome.", show_default=False),
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write JSON there (- for standard output).")]
CsvFile = Annotated[Path | None, typer.Option("--csv", help="Write CSV there, a row a sample (- for standard output).")]
HtmlFile = Annotated[Path | None, typer.Option("--html", help="Write one self-contained page there.")]


@app.command()
def predict(
    given: Given,
    model: ModelName = None,
    revision: Revision = None,
    prior: PriorFile = None,
    sex: OfSex = None,
    rule_out: RuleOut = False,
    kind: OfKind = None,
    panel: PanelFile = None,
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Predict the cancer of every sample in FILE."""
    folder = model_folder(model, revision)
    found, frequencies = _asked(given, prior, sex, rule_out, kind, panel, _limits(folder))
    predictor = _load(folder)
    from ..prediction import answers, inputs

    weights = inputs.label_weights(found.tables.cases, predictor.training_share, frequencies, rule_out=rule_out)
    predictions = predictor.predict(found.tables, weights=weights)
    cases = answers.records(predictions, predictor.config, inputs.remarks(found))
    about = _about(found, predictor.config, prior, sex, rule_out)
    to_screen = True
    if json_file:
        to_screen &= _write(json_file, _json({"about": about, "warning": answers.WARNING, "cases": cases}))
    if csv_file:
        to_screen &= _write(csv_file, answers.as_csv(cases))
    if html_file:
        _written(html_file, lambda: answers.write_page(html_file, cases, predictor.config, about))
    if to_screen:
        _show_cases(cases, about, predictor.config.calibration.coverage)


@app.command()
def explain(
    given: Given,
    model: ModelName = None,
    revision: Revision = None,
    prior: PriorFile = None,
    sex: OfSex = None,
    rule_out: RuleOut = False,
    kind: OfKind = None,
    panel: PanelFile = None,
    sample: Annotated[
        list[str] | None, typer.Option(help=f"Sample to explain; may be repeated. Default: the first {_EXPLAINED}.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Mutations left out in turn, the most telling ones.")] = 24,
    json_file: JsonFile = None,
    picture: Annotated[
        Path | None, typer.Option(help="Write a picture there, PNG or SVG by its name.", show_default=False)
    ] = None,
    html_file: HtmlFile = None,
) -> None:
    """Tell which mutations carried the decision: each is left out in turn, and the rest predicted again."""
    if picture and picture.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"--picture {picture}: its name must end in .png or .svg")
    folder = model_folder(model, revision)
    found, frequencies = _asked(given, prior, sex, rule_out, kind, panel, _limits(folder))
    predictor = _load(folder)
    from .. import files
    from ..prediction import answers, inputs
    from ..prediction import explanation as explaining
    from ..reports import pages

    weights = inputs.label_weights(found.tables.cases, predictor.training_share, frequencies, rule_out=rule_out)
    names = found.tables.cases["case_id"].to_pylist()
    chosen = sample or names[:_EXPLAINED]
    predictions, told = explaining.explain(
        predictor, found.tables, chosen, most=most, weights=weights, progress=sys.stderr.isatty()
    )
    about = _about(found, predictor.config, prior, sex, rule_out)
    to_screen = True
    if json_file:
        content = {"about": about, "warning": answers.WARNING, "explanations": [asdict(e) for e in told]}
        to_screen = _write(json_file, _json(content))
    if picture:
        drawn = pages.picture(lambda: explaining.draw(told), picture.suffix.lower()[1:])
        _written(picture, lambda: files.write_bytes(picture, drawn))
    if html_file:
        cases = answers.records(predictions, predictor.config, inputs.remarks(found))
        _written(html_file, lambda: answers.write_page(html_file, cases, predictor.config, about, told))
    if to_screen:
        _show_explanations(told, about, len(names))


@app.command()
def validate(
    given: Given,
    kind: OfKind = None,
    sex: OfSex = None,
    panel: PanelFile = None,
    limit: Annotated[int, typer.Option(min=0, help="Wrong rows to show; all are counted.")] = 20,
    json_file: JsonFile = None,
) -> None:
    """Tell what FILE holds, what would be used and what ignored, and which rows are wrong."""
    from ..prediction import inputs

    found, _ = _asked(given, None, sex, False, kind, panel, _default_limits())
    summary = inputs.summary(found, limit)
    if not json_file or _write(json_file, _json(summary)):
        _show_summary(summary)


@app.command()
def info(model: ModelName = None, revision: Revision = None, json_file: JsonFile = None) -> None:
    """Tell what the model is: labels, data, measured figures, versions and licences."""
    folder = model_folder(model, revision)
    from ..prediction import answers

    about = answers.describe(folder)
    if not json_file or _write(json_file, _json(about)):
        _show_info(about)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Git revision.")],
    after: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Git revision. Default: the working tree.", show_default=False)
    ] = None,
    repo: Annotated[str, typer.Option(help="Folder of a clone, or an address that git can clone.")] = ".",
    examples: Annotated[int, typer.Option(min=0, help="Cases told of each kind of change; all are counted.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """Tell what changed in the text dataset from revision A to revision B."""
    from ..versions import dataset_diff, revisions

    difference = dataset_diff.compare(
        revisions.text_dataset(before, repo), revisions.text_dataset(after, repo), examples
    )
    if not json_file or _write(json_file, _json(difference.as_json())):
        typer.echo("\n".join(dataset_diff.in_words(difference)))


# --- What the commands share ---


def _asked(
    given: str,
    prior: Path | None,
    sex: Sex | None,
    rule_out: bool,
    kind: Kind | None,
    panel: Path | None,
    limits: "Cohort | None",
) -> "tuple[Input, np.ndarray | None]":
    """The input with what the options add, and the prior's frequencies; every mistake shows before weights load."""
    if rule_out and sex is None:
        raise InputError("--rule-out-by-sex needs --sex female or --sex male")
    from ..prediction import inputs

    frequencies = inputs.read_prior(prior) if prior else None
    genes = inputs.read_panel(panel) if panel else None
    with _standard_input(given) as source:
        found = inputs.read(source, limits)
        return inputs.told(found, kind=kind and kind.replace("-", " "), sex=sex and str(sex), panel=genes), frequencies


@contextmanager
def _standard_input(given: str) -> Iterator[str]:
    """A path for ``-``: standard input, kept in a file while it is read, since its form must be told first."""
    if given != "-":
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(path)


def _limits(folder: Path | None) -> "Cohort | None":
    """How the model's training cases were read, so that a user's file is read alike; None without a model."""
    if folder is None:
        return None
    from ..prediction.prediction_config import PredictionConfig

    return PredictionConfig.load(folder).cohort


def _default_limits() -> "Cohort | None":
    """Those of the default model. A file can be looked at without a model, and beside one of another version."""
    try:
        return _limits(default_folder())
    except InputError:
        return None


def _load(folder: Path) -> "Predictor":
    from ..prediction.predictor import Predictor

    return Predictor.from_pretrained(folder)


def _about(
    found: "Input", config: "PredictionConfig", prior: Path | None, sex: Sex | None, rule_out: bool
) -> dict[str, str]:
    """What is said of file, model and adjustments beside every result."""
    left_out = sum(d.n for d in found.tables.dropped if d.what in ("variant", "row"))
    about = {
        "Input": f"{found.name} ({found.form}): {_count(found.tables.cases.num_rows, 'sample')}, "
        f"{_count(found.tables.variants.num_rows, 'mutation')} used, {_count(left_out, 'row')} ignored "
        "(cancertype validate tells which)",
        "Model": "trained on " + "; ".join(source["name"] for source in config.sources),
    }
    if config.simulated:
        about["Model"] += ": simulated cases, so nothing here says anything about a real tumour"
    if found.problems:
        about["Not understood"] = "; ".join(f"line {p.line}: {p.what}" for p in found.problems[:5])
    if prior:
        about["Prior"] = f"{prior.name}: p is multiplied by its share / the training share. The sets promise their "
        about["Prior"] += "coverage for the training mix only"
    if sex:
        about["Sex"] = f"{sex}, for every sample" + (", ruling out organs that it lacks" if rule_out else "")
    return about


# --- Writing and showing ---


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> bool:
    """Write ``text`` whole or not at all; False when it went to standard output, where nothing else may follow."""
    if str(path) == "-":
        typer.echo(text, nl=False)
        return False
    from ..files import write_text

    _written(path, lambda: write_text(path, text))
    return True


def _written(path: Path, write) -> None:
    try:
        write()
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another place") from error
    typer.echo(f"wrote {path}", err=True)


def _console() -> "Console":
    from rich.console import Console

    # Piped into a file, lines must not break at the 80 columns that a terminal is taken to have.
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False)


def _grid(*columns: str, **options):
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, **options)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _show_about(console: "Console", about: dict[str, str]) -> None:
    for key, value in about.items():
        console.print(f"{key}: {value}")


def _show_cases(cases: Sequence[dict], about: dict[str, str], coverage: float) -> None:
    from ..prediction.answers import WARNING
    from ..reports.pages import percent

    console = _console()
    _show_about(console, about)
    table = _grid(
        "Sample", "Answer", "Most probable", "Recall / precision", "Family", f"{percent(coverage)} set", "Note"
    )
    common = [remark for remark in cases[0]["remarks"] if all(remark in case["remarks"] for case in cases)]
    for case in cases[:_SHOWN]:
        table.add_row(
            case["case_id"],
            case["answer"] or "none",
            "\n".join(f"{t['label']} {percent(t['p'])} {t['name']}" for t in case["top"]),
            "\n".join(f"{percent(t['recall'])} / {percent(t['precision'])}" for t in case["top"]),
            f"{case['family']['label']} {percent(case['family']['p'])}",
            " ".join(case["set"]),
            "\n".join(filter(None, [case["abstains"], *(r for r in case["remarks"] if r not in common)])),
        )
    console.print(table)
    for remark in common:
        console.print(f"Every sample: {remark}.")
    if len(cases) > _SHOWN:
        console.print(f"{_count(len(cases) - _SHOWN, 'more sample')}: write them with --csv, --json or --html.")
    console.print("Recall / precision: of tested cases of that cancer found; of the model's calls of it right.")
    console.print(WARNING)


def _show_explanations(told: "Sequence[Explanation]", about: dict[str, str], n_samples: int) -> None:
    from ..labels import NAMES
    from ..prediction.answers import WARNING
    from ..reports.pages import percent

    console = _console()
    _show_about(console, about)
    for case in told:
        console.print(f"\n{case.case_id}: {case.label} ({NAMES[case.label]}), {percent(case.p)}")
        table = _grid("Mutation", "Without it", "Bits")
        for effect in case.effects:
            table.add_row(effect.mutation, percent(effect.without), f"{round(effect.bits, 2) + 0:+.2f}")
        table.add_row("without all of these", percent(case.without_all), "")
        console.print(table if case.effects else "no informative mutation: burden, spectrum and sex alone decide")
        if case.not_tried:
            console.print(f"{case.not_tried} less telling mutations were not tried: raise --most")
    if n_samples > len(told):
        console.print(f"\n{_count(n_samples - len(told), 'more sample')}: name them with --sample.")
    console.print("Bits: log2 odds of the cancer with the mutation less those without it; below 0 it speaks against.")
    console.print("Of mutations that say the same, none is missed when it alone is gone: compare what all do together.")
    console.print(WARNING)


def _show_summary(summary: dict) -> None:
    console = _console()
    console.print(f"{summary['name']}: {summary['form']}, {_count(summary['samples'], 'sample')}")
    console.print(f"used: {_count(summary['mutations'], 'mutation')} ({_listed(summary['consequences'])})")
    for remark, n in summary["remarks"].items():
        console.print(f"{_count(n, 'sample')}: {remark}")
    if summary["without_mutation"]:
        console.print(
            f"no mutation that counts in {_count(len(summary['without_mutation']), 'sample')}: "
            + ", ".join(summary["without_mutation"][:5])
        )
    if summary["ignored"]:
        table = _grid("Ignored", "What", "Why", "For example")
        for row in summary["ignored"]:
            table.add_row(str(row["n"]), row["what"], row["reason"], "\n".join(row["examples"][:2]))
        console.print(table)
    if summary["unused_columns"]:
        console.print(
            f"{_count(len(summary['unused_columns']), 'column')} not read: {', '.join(summary['unused_columns'])}"
        )
    if summary["unknown_genes"]:
        console.print(
            f"no gene symbols known here (their mutations count in the burden): "
            f"{_listed(dict(list(summary['unknown_genes'].items())[:10]))}"
        )
    if not summary["wrong_rows"]:
        console.print("nothing is wrong in any row")
        return
    console.print(f"wrong or not understood in {_count(summary['wrong_rows'], 'place')}:")
    for problem in summary["wrong"]:
        console.print(f"  {summary['unit']} {problem['line']}: {problem['what']}")
    if summary["wrong_rows"] > len(summary["wrong"]):
        console.print(f"  and {summary['wrong_rows'] - len(summary['wrong'])} more (--limit)")


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items())


def _show_info(about: dict) -> None:
    from ..reports.pages import percent

    console = _console()
    for key in ("model", "base_model", "licence", "headline", "calibration", "versions"):
        value = about[key]
        console.print(f"{key.replace('_', ' ')}: " + (_listed(value) if isinstance(value, dict) else str(value)))
    data = _grid("Data", "Licence", "Terms", "Citation")
    for source in about["data"]:
        data.add_row(source["name"], source["licence"], source["terms"] or "", source["citation"])
    console.print(data)
    labels = _grid("Label", "Cancer", "Family", "Training cases", "Tested", "Recall", "Precision")
    for row in about["labels"]:
        measured = (str(row["n"]), percent(row["recall"]), percent(row["precision"]))
        labels.add_row(row["label"], row["name"], row["family"], str(row["training_cases"]), *measured)
    console.print(labels)
