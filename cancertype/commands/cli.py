"""The command line: predict, explain, validate, info, diff and manifest.

Nothing heavy is imported before a command needs it, so that help and mistakes answer at once.
"""

import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

import cancertype

from ..errors import InputError
from ..prediction.manifest import Notice
from ..prediction.model_folder import default_folder, model_folder
from . import reading, screen
from .reading import Wishes
from .terminal import in_json, visible

if TYPE_CHECKING:
    from ..cohort.settings import Cohort
    from ..prediction.inputs import Input
    from ..prediction.prediction_config import PredictionConfig
    from ..prediction.predictor import Predictor

_EXPLAINED = 10


class _Commands(TyperGroup):
    """Turns every mistake that a user can correct into one line on stderr and the exit status 1."""

    def invoke(self, ctx: typer.Context):
        with _quiet():
            return self._invoke(ctx)

    def _invoke(self, ctx: typer.Context):
        try:
            return super().invoke(ctx)
        except InputError as error:
            _stop(str(error))
        except BrokenPipeError:
            raise  # the reader of a pipe has gone, such as `head`
        except OSError as error:
            if error.errno is None:
                raise
            _stop(f"{error.filename or 'a file'}: {error.strerror}")
        except MemoryError:
            _stop("not enough memory: give fewer samples at once")


def _stop(message: str) -> None:
    typer.echo(f"cancertype: {visible(message)}", err=True)
    raise typer.Exit(1) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from stderr what libraries say to developers, and progress bars that go into a file."""
    # Libraries read these when they are imported.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for name in ("bitsandbytes", "torch", "transformers", "peft"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings(), _clean_end():
        warnings.filterwarnings("ignore")
        warnings.filterwarnings("always", category=Notice)
        warnings.showwarning = lambda message, *_, **__: typer.echo(f"cancertype: note: {visible(message)}", err=True)
        yield


@contextmanager
def _clean_end() -> Iterator[None]:
    """Let SIGTERM end the program through Python's own way out, which deletes copies of what came through a pipe."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="MAF, DepMap mutations, wide table, annotated VCF or text, compressed with gzip or not. Several files are "
        'read together. Or the text itself, such as "BRAF V600E, CDKN2A R80*", or - for standard input.',
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
        help="Table with the columns label and share: how frequent each cancer is among your samples. "
        "A label that is not in it is ruled out.",
        show_default=False,
    ),
]
OfSex = Annotated[
    Sex | None, typer.Option(help="Sex of every sample. The models read it like a mutation.", show_default=False)
]
RuleOut = Annotated[
    bool,
    typer.Option(
        "--rule-out-by-sex",
        help="With --sex: give cancers of organs that this sex does not have a probability of 0 "
        "(female: PRAD, TGCT; male: CESC, OV, UCEC).",
    ),
]
OfKind = Annotated[
    Kind | None,
    typer.Option(help="Kind of every sample. Default: cell-line for DepMap's layout, else tumour.", show_default=False),
]
PanelFile = Annotated[
    Path | None,
    typer.Option(help="File with the genes that were sequenced, if not the whole exome was.", show_default=False),
]
Tumor = Annotated[
    str | None,
    typer.Option(help="Name of the tumour's sample in a VCF. Its other samples are not read.", show_default=False),
]
Normal = Annotated[
    str | None,
    typer.Option(
        help="Name of the matched normal's sample in a VCF. It is no sample of its own, and what it carries too is "
        "left out as inherited.",
        show_default=False,
    ),
]
Genome = Annotated[
    Path | None,
    typer.Option(
        metavar="FASTA",
        help="Reference genome. With --gff, an unannotated VCF is annotated by `bcftools csq`, if it is installed.",
        show_default=False,
    ),
]
Gff = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Gene models (GFF3) of that genome, as Ensembl gives them.", show_default=False),
]
Rename = Annotated[
    list[str] | None,
    typer.Option(
        "--sample", metavar="NEW=OLD", help="Rename the sample OLD to NEW. May be repeated.", show_default=False
    ),
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write JSON there (- for standard output).")]
CsvFile = Annotated[
    Path | None, typer.Option("--csv", help="Write CSV there, one row per sample (- for standard output).")
]
HtmlFile = Annotated[Path | None, typer.Option("--html", help="Write one self-contained page there.")]


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cancertype {cancertype.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command()
def predict(
    files: Files,
    model: ModelName = None,
    revision: Revision = None,
    prior: PriorFile = None,
    sex: OfSex = None,
    rule_out: RuleOut = False,
    kind: OfKind = None,
    panel: PanelFile = None,
    tumor: Tumor = None,
    normal: Normal = None,
    genome: Genome = None,
    gff: Gff = None,
    sample: Rename = None,
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Predict the cancer of every sample in FILE."""
    wishes = _wishes(prior, sex, rule_out, kind, panel, tumor, normal, genome, gff, reading.renames(sample or []))
    folder = model_folder(model, revision)
    with reading.read(files, wishes, _limits(folder)) as given:
        predictor = _load(folder)
        from ..prediction import answers

        weights = _weights(predictor, given, wishes)
        predictions = predictor.predict(given.tables, weights=weights, progress=sys.stderr.isatty())
        cases = answers.records(predictions, predictor.config, given.remarks())
        about = _about(given, predictor.config, wishes)
    to_screen = True
    if json_file:
        content = {"about": about, "model": answers.identity(folder, predictor.config), "warning": answers.WARNING}
        to_screen &= _write(json_file, _json(content | {"cases": cases}))
    if csv_file:
        to_screen &= _write(csv_file, answers.as_csv(cases))
    if html_file:
        _written(html_file, lambda: answers.write_page(html_file, cases, predictor.config, about))
    if to_screen:
        screen.cases(cases, about, predictor.config.calibration.coverage)


@app.command()
def explain(
    files: Files,
    model: ModelName = None,
    revision: Revision = None,
    prior: PriorFile = None,
    sex: OfSex = None,
    rule_out: RuleOut = False,
    kind: OfKind = None,
    panel: PanelFile = None,
    tumor: Tumor = None,
    normal: Normal = None,
    genome: Genome = None,
    gff: Gff = None,
    sample: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Sample to explain. May be repeated. NEW=OLD renames it too. Default: the first {_EXPLAINED}.",
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Mutations to leave out in turn, the most informative ones.")] = 24,
    json_file: JsonFile = None,
    picture: Annotated[
        Path | None, typer.Option(help="Write a picture there, PNG or SVG by its name.", show_default=False)
    ] = None,
    html_file: HtmlFile = None,
) -> None:
    """Show which mutations carried the decision: each is left out in turn, and the rest predicted again."""
    if picture and picture.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"--picture {picture}: its name must end in .png or .svg")
    new_names = reading.renames([text for text in sample or [] if "=" in text])
    wishes = _wishes(prior, sex, rule_out, kind, panel, tumor, normal, genome, gff, new_names)
    folder = model_folder(model, revision)
    with reading.read(files, wishes, _limits(folder)) as given:
        predictor = _load(folder)
        from .. import files as whole_files
        from ..prediction import answers, explanation

        names = given.tables.cases["case_id"].to_pylist()
        chosen = [text.partition("=")[0] for text in sample or []] or names[:_EXPLAINED]
        predictions, explained = explanation.explain(
            predictor,
            given.tables,
            chosen,
            most=most,
            weights=_weights(predictor, given, wishes),
            progress=sys.stderr.isatty(),
        )
        about = _about(given, predictor.config, wishes)
        remarks = given.remarks()
    to_screen = True
    if json_file:
        content = {"about": about, "model": answers.identity(folder, predictor.config), "warning": answers.WARNING}
        to_screen = _write(json_file, _json(content | {"explanations": [asdict(each) for each in explained]}))
    if picture:
        # matplotlib takes a second to import.
        from ..prediction.drawing import draw
        from ..reports import pages

        drawn = pages.picture(lambda: draw(explained), picture.suffix.lower()[1:])
        _written(picture, lambda: whole_files.write_bytes(picture, drawn))
    if html_file:
        cases = answers.records(predictions, predictor.config, remarks)
        _written(html_file, lambda: answers.write_page(html_file, cases, predictor.config, about, explained))
    if to_screen:
        screen.explanations(explained, about, len(names))


@app.command()
def validate(
    files: Files,
    kind: OfKind = None,
    sex: OfSex = None,
    panel: PanelFile = None,
    tumor: Tumor = None,
    normal: Normal = None,
    genome: Genome = None,
    gff: Gff = None,
    sample: Rename = None,
    limit: Annotated[int, typer.Option(min=0, help="Wrong rows to show. All are counted.")] = 20,
    json_file: JsonFile = None,
) -> None:
    """Show what FILE contains, what is used, what is left out and why, and which rows are wrong."""
    new_names = reading.renames(sample or [])
    wishes = _wishes(None, sex, False, kind, panel, tumor, normal, genome, gff, new_names)
    with reading.read(files, wishes, _default_limits()) as given:
        summaries = [_summary(each, limit) for each in given.inputs]
    content = summaries[0] if len(summaries) == 1 else {"files": summaries}
    if not json_file or _write(json_file, _json(content)):
        for at, summary in enumerate(summaries):
            if at:
                typer.echo()
            screen.summary(summary)


@app.command()
def info(model: ModelName = None, revision: Revision = None, json_file: JsonFile = None) -> None:
    """Show what the model is: measured figures, labels, data, versions and licences."""
    folder = model_folder(model, revision)
    from ..prediction import answers

    about = answers.describe(folder)
    if not json_file or _write(json_file, _json(about)):
        screen.info(about)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Git revision.")],
    after: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Git revision. Default: the working tree.", show_default=False)
    ] = None,
    repo: Annotated[str, typer.Option(help="Folder of a clone, or an address that git can clone.")] = ".",
    examples: Annotated[int, typer.Option(min=0, help="Cases to describe per kind of change. All are counted.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """Show what changed in the text dataset from revision A to revision B."""
    from ..versions import dataset_diff, revisions

    difference = dataset_diff.compare(
        revisions.text_dataset(before, repo), revisions.text_dataset(after, repo), examples
    )
    if not json_file or _write(json_file, _json(difference.as_json())):
        typer.echo("\n".join(map(visible, dataset_diff.in_words(difference))))


@app.command()
def manifest(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a published model that you trust.")],
) -> None:
    """Write manifest.json for a model that was published without one, so that later damage is noticed."""
    from ..prediction import manifest
    from ..prediction.prediction_config import PredictionConfig

    PredictionConfig.load(folder)
    manifest.write(folder)
    typer.echo(f"wrote {visible(folder / manifest.MANIFEST)}", err=True)


# --- What the commands share ---


def _wishes(
    prior: Path | None,
    sex: Sex | None,
    rule_out: bool,
    kind: Kind | None,
    panel: Path | None,
    tumor: str | None,
    normal: str | None,
    genome: Path | None,
    gff: Path | None,
    new_names: dict[str, str],
) -> Wishes:
    options = {"tumor": tumor, "normal": normal, "genome": genome, "gff": gff, "rename": new_names}
    return Wishes(
        prior=prior,
        sex=sex and str(sex),
        rule_out=rule_out,
        kind=kind and kind.replace("-", " "),
        panel=panel,
        reading={name: value for name, value in options.items() if value},
    )


def _limits(folder: Path | None) -> "Cohort | None":
    """The limits with which the model's training cases were read, so that a user's file is read alike."""
    if folder is None:
        return None
    from ..prediction.prediction_config import PredictionConfig

    return PredictionConfig.load(folder).cohort


def _default_limits() -> "Cohort | None":
    """Those of the default model. A file can be checked without a model, and beside one of another version."""
    try:
        return _limits(default_folder())
    except InputError:
        return None


def _load(folder: Path) -> "Predictor":
    from ..prediction.predictor import Predictor

    return Predictor.from_pretrained(folder)


def _weights(predictor: "Predictor", given: reading.Given, wishes: Wishes):
    from ..prediction import inputs

    share = predictor.training_share
    return inputs.label_weights(given.tables.cases, share, given.frequencies, rule_out=wishes.rule_out)


def _summary(found: "Input", limit: int) -> dict:
    from ..prediction import inputs

    account = found.tables.account
    return inputs.summary(found, limit) | ({"account": asdict(account)} if account else {})


def _about(given: reading.Given, config: "PredictionConfig", wishes: Wishes) -> dict[str, str]:
    """What is said about file, model and adjustments beside every result."""
    left_out = sum(d.n for d in given.tables.dropped if d.what in ("variant", "row"))
    sources = ", ".join(f"{found.name} ({found.form})" for found in given.inputs[:5])
    if len(given.inputs) > 5:
        sources += f" and {len(given.inputs) - 5} more"
    about = {
        "Input": f"{sources}: {screen.counted(given.tables.cases.num_rows, 'sample')}, "
        f"{screen.counted(given.tables.variants.num_rows, 'mutation')} used, "
        f"{screen.counted(left_out, 'row')} ignored (cancertype validate shows which)",
        "Model": "trained on " + "; ".join(source["name"] for source in config.sources),
    }
    if config.simulated:
        about["Model"] += ": simulated cases, so nothing here says anything about real tumours"
    if problems := [(found, problem) for found in given.inputs for problem in found.problems]:
        several = len(given.inputs) > 1
        about["Not understood"] = "; ".join(
            f"{found.name + ', ' if several else ''}line {p.line}: {p.what}" for found, p in problems[:5]
        ) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
    if wishes.prior:
        about["Prior"] = (
            f"{wishes.prior.name}: each probability is multiplied by the prior's share / the training share. The sets "
            "keep their coverage only for the training mix"
        )
    if wishes.sex:
        ruled_out = ", ruling out organs that this sex does not have" if wishes.rule_out else ""
        about["Sex"] = f"{wishes.sex}, for every sample{ruled_out}"
    return about


# --- Writing ---


def _json(content: object) -> str:
    return in_json(json.dumps(content, indent=2, ensure_ascii=False)) + "\n"


def _write(path: Path, text: str) -> bool:
    """Write ``text`` whole or not at all. False if it went to standard output, where nothing else may follow."""
    if str(path) == "-":
        # As bytes: a table is UTF-8 whatever the terminal's encoding is.
        typer.echo(text.encode("utf-8"), nl=False)
        return False
    from ..files import write_text

    _written(path, lambda: write_text(path, text))
    return True


def _written(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another place") from error
    typer.echo(f"wrote {visible(path)}", err=True)
