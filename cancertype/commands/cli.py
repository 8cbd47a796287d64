"""The command line: predict, explain, validate, assays, info, reproduce, diff and manifest.

Nothing heavy is imported before a command needs it, so that help and mistakes answer at once.
"""

import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

import cancertype

from ..errors import InputError
from ..prediction.manifest import Notice
from ..prediction.model_folder import default_folder, model_folder
from . import reading, screen
from .options import CsvFile, HtmlFile, InputOptions, JsonFile, ModelName, ModelOptions, Rename, Revision, expanded
from .reading import Wishes
from .terminal import in_json, visible

if TYPE_CHECKING:
    from ..cohort.settings import Cohort
    from ..prediction.inputs import Input
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
    """Keep from stderr what libraries say to developers. (``cancertype`` itself keeps bars out of files.)"""
    # Libraries read these when they are imported.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
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
@expanded
def predict(
    given: InputOptions,
    answer: ModelOptions,
    sample: Rename = None,
    json_file: JsonFile = None,
    csv_file: CsvFile = None,
    html_file: HtmlFile = None,
) -> None:
    """Predict the cancer of every sample in FILE."""
    wishes = _wishes(given, answer, reading.renames(sample or []))
    for file in (json_file, csv_file, html_file):
        _check_place(file)
    folder = model_folder(answer.model, answer.revision)
    with reading.read(given.files or [], wishes, _limits(folder)) as found:
        predictor = _load(folder, answer.fast)
        from ..prediction import answers, remarks
        from ..prediction.model import in_parts

        model = answers.identity(folder, predictor.config)
        about = _about(found, predictor, model, wishes)
        to_screen = not any(map(_is_stdout, (json_file, csv_file, html_file)))
        parts = in_parts(predictor, found.whole, _weights(predictor, found, wishes))
        cases: list[dict] = []
        answered = _counted_on_the_way(parts, cases, found.tables.cases.num_rows, bar=not to_screen)
        if to_screen:
            coverage = predictor.config.calibration.coverage
            screen.cases(answered, about, coverage, remarks.of_all(found.whole))
        else:
            deque(answered, maxlen=0)
    if json_file:
        content = {"about": about, "model": model, "warning": answers.WARNING}
        _write(json_file, _json(content | {"cases": cases}))
    if csv_file:
        _write(csv_file, answers.as_csv(cases))
    if html_file:
        _write(html_file, answers.page(cases, predictor.config, about))


@app.command()
@expanded
def explain(
    given: InputOptions,
    answer: ModelOptions,
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
    wishes = _wishes(given, answer, new_names)
    folder = model_folder(answer.model, answer.revision)
    with reading.read(given.files or [], wishes, _limits(folder)) as found:
        predictor = _load(folder, answer.fast)
        from .. import files as whole_files
        from ..prediction import answers, explanation
        from ..prediction.model import records

        names = found.tables.cases["case_id"].to_pylist()
        chosen = [text.partition("=")[0] for text in sample or []] or names[:_EXPLAINED]
        predictions, explained = explanation.explain(
            predictor,
            found.tables,
            chosen,
            most=most,
            weights=_weights(predictor, found, wishes),
            progress=sys.stderr.isatty(),
        )
        model = answers.identity(folder, predictor.config)
        about = _about(found, predictor, model, wishes)
        cases = records(predictor, found.whole, predictions)
    to_screen = True
    if json_file:
        content = {"about": about, "model": model, "warning": answers.WARNING}
        read_as = [{key: case[key] for key in ("assay", "readings", "given", "arms", "evidence")} for case in cases]
        each = [asdict(why) | how for why, how in zip(explained, read_as, strict=True)]
        to_screen = _write(json_file, _json(content | {"explanations": each}))
    if picture:
        # matplotlib takes a second to import.
        from ..prediction.drawing import draw
        from ..reports import pages

        drawn = pages.picture(lambda: draw(explained), picture.suffix.lower()[1:])
        _written(picture, lambda: whole_files.write_bytes(picture, drawn))
    if html_file:
        to_screen &= _write(html_file, answers.page(cases, predictor.config, about, explained))
    if to_screen:
        screen.explanations(explained, [case["evidence"] for case in cases], about, len(names))


@app.command()
@expanded
def validate(
    given: InputOptions,
    sample: Rename = None,
    limit: Annotated[int, typer.Option(min=0, help="Wrong rows to show. All are counted.")] = 20,
    json_file: JsonFile = None,
) -> None:
    """Show what FILE contains, what is used, what is left out and why, and which rows are wrong."""
    new_names = reading.renames(sample or [])
    wishes = _wishes(given, ModelOptions(), new_names)
    with reading.read(given.files or [], wishes, _default_limits()) as found:
        from ..prediction import companions

        summaries = [_summary(each, limit) for each in found.inputs]
        beside = [companions.in_json(each) for each in found.whole.companions]
    content = summaries[0] if len(summaries) == 1 else {"files": summaries}
    if not json_file or _write(json_file, _json(content | ({"beside": beside} if beside else {}))):
        for at, summary in enumerate(summaries):
            if at:
                typer.echo()
            screen.summary(summary)
        for each in beside:
            typer.echo()
            screen.companion(each)


@app.command()
def assays(json_file: JsonFile = None) -> None:
    """List the assays that --assay knows by name: exome, genome, list and the panels."""
    from ..assays import assay

    known = assay.table().to_pylist()
    if not json_file or _write(json_file, _json(known)):
        screen.assays(known)


@app.command()
def info(model: ModelName = None, revision: Revision = None, json_file: JsonFile = None) -> None:
    """Show what the model is: measured figures, labels, data, versions and licences."""
    folder = model_folder(model, revision)
    from ..prediction import answers

    about = answers.describe(folder)
    if not json_file or _write(json_file, _json(about)):
        screen.info(about)


@app.command()
def reproduce(
    named: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="The same as --model.", show_default=False)
    ] = None,
    model: ModelName = None,
    revision: Revision = None,
    tcga: Annotated[
        list[str] | None,
        typer.Option(help="Also test it again: folder of its patients, as in data.tcga.location. May be repeated."),
    ] = None,
    depmap: Annotated[
        list[str] | None, typer.Option(help="The same for its cell lines (data.depmap.location).")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Check that the model gives the answers here that it gave where it was released. Exit status 1 if not."""
    if named and model and named != model:
        raise InputError(f"two models are given, {named} and --model {model}: give one")
    folder = model_folder(named or model, revision)
    predictor = _load(folder, fast=False)
    from ..prediction import answers, stored_answers
    from ..prediction.remeasured import remeasured

    compared = stored_answers.compare(folder, predictor)
    agree = compared[0].difference <= stored_answers.TOLERANCE
    content = {
        "model": answers.identity(folder, predictor.config),
        "tolerance": stored_answers.TOLERANCE,
        "agree": agree,
        "answers": [asdict(each) for each in compared],
    }
    locations = {name: given for name, given in (("tcga", tcga), ("depmap", depmap)) if given}
    again = remeasured(predictor, locations, progress=sys.stderr.isatty()) if locations else None
    if again:
        content["remeasured"] = asdict(again) | {"agree": again.agrees}
        agree &= again.agrees
    if not json_file or _write(json_file, _json(content)):
        screen.reproduced(compared, stored_answers.TOLERANCE)
        if again:
            screen.remeasured(again)
    if not agree:
        raise typer.Exit(1)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Git revision, or a name in versions.csv.")],
    after: Annotated[
        str | None, typer.Argument(metavar="B", help="Git revision. Default: the working tree.", show_default=False)
    ] = None,
    repo: Annotated[str, typer.Option(help="Folder of a clone, or an address that git can clone.")] = ".",
    remote: Annotated[
        str | None,
        typer.Option(help="DVC remote, by name or address. Default: the default one.", show_default=False),
    ] = None,
    examples: Annotated[int, typer.Option(min=0, help="Cases to describe per kind of change. All are counted.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """Show what changed in the text dataset from revision A to revision B."""
    from ..versions import dataset_diff, revisions

    difference = dataset_diff.compare(
        revisions.text_dataset(before, repo, remote), revisions.text_dataset(after, repo, remote), examples
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


def _wishes(given: InputOptions, answer: ModelOptions, new_names: dict[str, str]) -> Wishes:
    names = ("assay", "copy_number", "fusions", "spectra", "copy_number_limits", "tumor", "normal", "genome", "gff")
    options = {name: getattr(given, name) for name in names} | {"rename": new_names}
    options["build"] = given.build and str(given.build)
    # A purity of 0 is stated all the same.
    own_purity = {} if given.purity is None else {"purity": given.purity}
    wishes = Wishes(
        prior=answer.prior,
        sex=given.sex and str(given.sex),
        rule_out=answer.rule_out,
        histology=answer.histology,
        site=answer.site,
        kind=given.kind and given.kind.replace("-", " "),
        reading={name: value for name, value in options.items() if value} | own_purity,
    )
    # Before the model's configuration is read, which imports more.
    reading.check(given.files or [], wishes)
    return wishes


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


def _load(folder: Path, fast: bool) -> "Predictor":
    from ..prediction.predictor import Predictor

    return Predictor.from_pretrained(folder, fast=fast)


def _weights(predictor: "Predictor", found: reading.Given, wishes: Wishes):
    from ..prediction import priors

    share = predictor.training_share
    return priors.label_weights(
        found.tables.cases, share, found.frequencies, rule_out=wishes.rule_out, histology=wishes.histology
    )


def _counted_on_the_way(
    parts: Iterable[list[dict]], cases: list[dict], total: int, *, bar: bool
) -> Iterator[list[dict]]:
    """``parts``, each put into ``cases`` first, with a bar on a terminal where the answers themselves are not shown
    there as they come."""
    from tqdm.auto import tqdm

    seen = sys.stderr.isatty() and (bar or not sys.stdout.isatty())
    with tqdm(total=total, desc="answering", unit="sample", disable=not seen) as advanced:
        for part in parts:
            cases += part
            advanced.update(len(part))
            yield part


def _summary(found: "Input", limit: int) -> dict:
    from ..prediction.summary import summary

    return summary(found, limit)


def _about(found: reading.Given, predictor: "Predictor", model: dict, wishes: Wishes) -> dict[str, str]:
    """What is said about file, model and adjustments beside every result."""
    from ..prediction.about import about

    asked = {"sex": wishes.sex, "rule_out": wishes.rule_out, "histology": wishes.histology, "site": wishes.site}
    return about(found.whole, predictor, model, prior=wishes.prior and wishes.prior.name, **asked)


# --- Writing ---


def _json(content: object) -> str:
    return in_json(json.dumps(content, indent=2, ensure_ascii=False)) + "\n"


def _is_stdout(path: Path | None) -> bool:
    return str(path) == "-"


def _write(path: Path, text: str) -> bool:
    """Write ``text`` whole or not at all. False if it went to standard output, where nothing else may follow."""
    if _is_stdout(path):
        # As bytes: a table is UTF-8 whatever the terminal's encoding is.
        typer.echo(text.encode("utf-8"), nl=False)
        return False
    from ..files import write_text

    _written(path, lambda: write_text(path, text))
    return True


def _check_place(path: Path | None) -> None:
    """Raise ``InputError`` where no file can be made at ``path``: before minutes of work, not after."""
    if path is None or _is_stdout(path):
        return
    # Folders that are missing are made.
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        why = "may not be written to" if above.is_dir() else "is no folder"
        raise InputError(f"{path} cannot be written ({above} {why}): choose another place")


def _written(path: Path, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): choose another place") from error
    typer.echo(f"wrote {visible(path)}", err=True)
