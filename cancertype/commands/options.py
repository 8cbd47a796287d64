"""The options that several commands take, each described once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer


class Kind(StrEnum):
    """Kind of sample."""

    TUMOUR = "tumour"
    CELL_LINE = "cell-line"


class Sex(StrEnum):
    """The patient's sex."""

    FEMALE = "female"
    MALE = "male"


class Build(StrEnum):
    """A reference genome."""

    HG19 = "hg19"
    HG38 = "hg38"


@dataclass(frozen=True)
class InputOptions:
    """What is given, and what the user knows of it."""

    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="MAF, DepMap mutations, wide table, annotated VCF or text, compressed with gzip or not. Several files "
            'are read together. Or the text itself, such as "APC R1450*, KRAS G12D", or - for standard input. Not '
            "needed beside --copy-number, --fusions or --spectra.",
            show_default=False,
        ),
    ] = None
    assay: Annotated[
        str | None,
        typer.Option(
            "--assay",
            "--panel",
            metavar="NAME|FILE",
            help="What was sequenced in every sample: a name (`cancertype assays` lists them) or a file of genes. "
            "Default: recognised from the file.",
            show_default=False,
        ),
    ] = None
    copy_number: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Copy number: a table of arms, a gene matrix, segments or a VCF. May be repeated.",
            show_default=False,
        ),
    ] = None
    build: Annotated[
        Build | None,
        typer.Option(
            help="Reference genome of segments. Default: as the ends of the chromosomes or the mutations' file show.",
            show_default=False,
        ),
    ] = None
    purity: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of tumour cells in the only sample of --copy-number. Below 0.2 its copy number is not used.",
            show_default=False,
        ),
    ] = None
    copy_number_limits: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=X,...",
            help="What counts as gained or lost, such as gained_log2=0.3,lost_log2=-0.3. docs/data.md lists the names.",
            show_default=False,
        ),
    ] = None
    fusions: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Fusions: a caller's table, cBioPortal's data_sv.txt, a VCF or a list. May be repeated.",
            show_default=False,
        ),
    ] = None
    spectra: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Mutational spectra: a matrix SBS96, ID83 or DBS78 of SigProfilerMatrixGenerator. May be repeated.",
            show_default=False,
        ),
    ] = None
    sex: Annotated[
        Sex | None,
        typer.Option(
            help="Sex of the patients, the same for all samples. The model uses it as evidence.", show_default=False
        ),
    ] = None
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="Kind of every sample. Default: cell-line for DepMap's layout, else tumour.", show_default=False
        ),
    ] = None
    tumor: Annotated[
        str | None,
        typer.Option(help="Name of the tumour's sample in a VCF. Its other samples are not read.", show_default=False),
    ] = None
    normal: Annotated[
        str | None,
        typer.Option(
            help="Name of the matched normal in a VCF. Variants that it carries too are left out as inherited, and it "
            "gets no answer of its own.",
            show_default=False,
        ),
    ] = None
    genome: Annotated[
        Path | None,
        typer.Option(
            metavar="FASTA",
            help="Reference genome. It gives the bases around the variants of a MAF that lacks them. With --gff, an "
            "unannotated VCF is annotated by `bcftools csq`, if it is installed.",
            show_default=False,
        ),
    ] = None
    gff: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Gene models (GFF3) of that genome, as Ensembl gives them.", show_default=False
        ),
    ] = None


@dataclass(frozen=True)
class ModelOptions:
    """Which model answers, and how its probabilities are adjusted."""

    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Folder of a published model, or a Hub id. Default: released, else models/published.",
            show_default=False,
        ),
    ] = None
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit of a model on the Hub.", show_default=False)
    ] = None
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Answer with the boosted trees alone, which is seconds faster."),
    ] = False
    prior: Annotated[
        Path | None,
        typer.Option(
            help="Table with the columns label and share: how frequent each cancer is among your samples. "
            "A label that is not in it is ruled out.",
            show_default=False,
        ),
    ] = None
    rule_out: Annotated[
        bool,
        typer.Option(
            "--rule-out-by-sex",
            help="With --sex: give cancers of organs that this sex does not have a probability of 0 "
            "(female: PRAD, TGCT; male: CESC, OV, UCEC).",
        ),
    ] = False
    histology: Annotated[
        str | None,
        typer.Option(
            help="Broad histology of every sample, such as adenocarcinoma or squamous. Each probability is multiplied "
            "by the share of that cancer's cases that have it.",
            show_default=False,
        ),
    ] = None
    site: Annotated[
        str | None,
        typer.Option(help="Where the biopsy was taken. It is shown with the answer and changes nothing."),
    ] = None


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
HtmlFile = Annotated[
    Path | None, typer.Option("--html", help="Write one self-contained page there (- for standard output).")
]
ModelName = ModelOptions.__annotations__["model"]
Revision = ModelOptions.__annotations__["revision"]


def expanded(command: Callable) -> Callable:
    """``command`` with the fields of its parameters that are dataclasses of options in place of these parameters.

    Typer reads the options of a command from its signature; this lets commands share them."""
    groups = {
        name: parameter.annotation
        for name, parameter in inspect.signature(command).parameters.items()
        if parameter.annotation in (InputOptions, ModelOptions)
    }

    @wraps(command)
    def with_groups(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    parameters = [
        single
        for name, parameter in inspect.signature(command).parameters.items()
        for single in (_of_group(groups[name]) if name in groups else [parameter])
    ]
    keywords = [single.replace(kind=inspect.Parameter.KEYWORD_ONLY) for single in parameters]
    del with_groups.__wrapped__
    with_groups.__signature__ = inspect.Signature(keywords)
    with_groups.__annotations__ = {single.name: single.annotation for single in keywords}
    return with_groups


def _of_group(group: type) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, kind, default=field.default, annotation=field.type) for field in fields(group)
    ]
