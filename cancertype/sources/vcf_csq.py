"""A VCF without annotation: the commands that annotate it, and ``bcftools csq``, which does it here."""

import gzip
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError
from ..tables import delimited
from .vcf_header import Header, passes

_BASES = frozenset("ACGTN")


def how_to_annotate(header: Header) -> str:
    """What to say of a VCF without annotation: each annotator's command, with the file's name in it."""
    return (
        f"{header.path}: no annotation: no record says which gene and protein change it is. {_commands(header)}. "
        "Or give a genome and its genes (Ensembl's GFF3), and bcftools csq is run for you: "
        "--genome GENOME.fa --gff GENES.gff3.gz"
    )


def _commands(header: Header) -> str:
    path, assembly = header.path, header.assembly() or "GRCh38"
    stem = path.name.removesuffix(".gz").removesuffix(".bgz").removesuffix(".vcf")
    database = {"GRCh38": "GRCh38.99", "GRCh37": "GRCh37.75"}[assembly]
    given = shlex.quote(str(path))
    vep, snpeff, csq = (shlex.quote(f"{stem}.{tool}.vcf") for tool in ("vep", "snpeff", "csq"))
    other = "" if header.assembly() else " (for a file on hg19, GRCh37 and GRCh37.75)"
    return (
        "Annotate the file with one of these commands, and give what it writes: "
        f"`vep --input_file {given} --output_file {vep} --vcf --symbol --hgvs --canonical --af_gnomade --cache "
        f"--offline --fasta GENOME.fa --assembly {assembly}`, `snpEff ann {database} {given} > {snpeff}`{other}, "
        f"`bcftools csq --local-csq --fasta-ref GENOME.fa --gff-annot GENES.gff3.gz --output {csq} {given}`"
    )


def consequences(header: Header, genome: Path, gff: Path) -> dict[int, str]:
    """Run ``bcftools csq`` on the records that passed their filters: the value of BCSQ for each line of the file, and
    "intergenic" where it writes none.

    ``genome`` is a FASTA (packed with bgzip or not), ``gff`` its genes in Ensembl's GFF3. Chromosomes may be named with
    or without ``chr`` in each of the three files. Nothing is written beside them. Raises ``InputError`` where bcftools
    is not installed, and with what it says where it fails.
    """
    for path in (genome, gff):
        if not Path(path).is_file():
            raise InputError(f"{path} is not there: check the path")
    if shutil.which("bcftools") is None:
        raise InputError(
            f"{header.path}: no annotation, and bcftools is not installed to make one: install it (apt-get install "
            f"bcftools, or conda install -c bioconda bcftools). {_commands(header)}"
        )
    with tempfile.TemporaryDirectory(prefix="bcftools-csq-") as name:
        folder = Path(name)
        fasta = _linked_genome(Path(genome), folder)
        chromosomes = _chromosomes(Path(genome))
        _write_genes(Path(gff), folder / "genes.gff3", chromosomes)
        if not _write_sites(header, folder / "sites.vcf", chromosomes):
            raise InputError(
                f"{header.path}: no record that passed is on a chromosome of {genome} "
                f"({', '.join(list(chromosomes.values())[:5])} ...): give the genome that the variants were called on"
            )
        _run(header, fasta, folder)
        return _read_consequences(folder / "annotated.vcf")


def _linked_genome(genome: Path, folder: Path) -> Path:
    """The genome under a name in ``folder``, so that its index is made there and not beside the user's file."""
    link = folder / f"genome.fa{'.gz' if genome.name.endswith('.gz') else ''}"
    for ending in ("", ".fai", ".gzi"):
        beside = genome.with_name(genome.name + ending)
        if beside.is_file():
            link.with_name(link.name + ending).symlink_to(beside.resolve())
    return link


def _chromosomes(genome: Path) -> dict[str, str]:
    """Chromosome, without ``chr``, to its name in the genome."""
    index = genome.with_name(genome.name + ".fai")
    names: list[str] = []
    if index.is_file():
        names = [line.split("\t")[0] for _, line in delimited.lines(index)]
    else:
        with genome.open("rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
        try:
            with gzip.open(genome, "rb") if is_packed else genome.open("rb") as stream:
                names = [
                    line[1:].split(None, 1)[0].decode() for line in stream if line[:1] == b">" and line[1:].strip()
                ]
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise InputError(f"{genome} cannot be read as FASTA ({error}): fetch it again") from error
    if not names:
        raise InputError(f"{genome} holds no sequence: give a genome in FASTA")
    return {_plain(name): name for name in names}


def _plain(chromosome: str) -> str:
    name = chromosome[3:] if chromosome.lower().startswith("chr") else chromosome
    return {"M": "MT"}.get(name, name)


def _write_genes(gff: Path, out: Path, chromosomes: dict[str, str]) -> None:
    """The genes with their chromosomes named as in the genome."""
    n = 0
    with out.open("w", encoding="utf-8") as file:
        for _, line in delimited.lines(gff, f"reading {gff.name}"):
            chromosome, tab, rest = line.partition("\t")
            if line.startswith("##gff-version"):
                file.write(line + "\n")
            elif tab and not line.startswith("#") and (name := chromosomes.get(_plain(chromosome))):
                n += rest.split("\t", 2)[1:2] == ["CDS"]
                file.write(f"{name}\t{rest}\n")
    if not n:
        raise InputError(
            f"{gff}: no coding sequence (CDS) on a chromosome of the genome: give Ensembl's GFF3 of the same assembly"
        )


def _write_sites(header: Header, out: Path, chromosomes: dict[str, str]) -> int:
    """The sites of the records that passed, with the number of their line for an ID; returns how many there are."""
    n = 0
    with out.open("w", encoding="utf-8") as file:
        file.write("##fileformat=VCFv4.2\n")
        file.writelines(f"##contig=<ID={name}>\n" for name in chromosomes.values())
        file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for number, line in _records(header):
            fields = line.split("\t", 7)
            if len(fields) < 8:
                continue
            chromosome, position, _, reference, alternatives, _, filters = fields[:7]
            name = chromosomes.get(_plain(chromosome))
            written = ",".join(allele for allele in alternatives.split(",") if _is_written_out(allele))
            readable = position.isdecimal() and len(position) < 10 and written and _is_written_out(reference)
            if name and readable and passes(filters):
                file.write(f"{name}\t{position}\t{number}\t{reference}\t{written}\t.\t.\t.\n")
                n += 1
    return n


def _is_written_out(allele: str) -> bool:
    return allele != "" and _BASES.issuperset(allele.upper())


def _records(header: Header) -> Iterator[tuple[int, str]]:
    lines = delimited.lines(header.path, f"preparing {header.path.name}")
    return ((number, line) for number, line in lines if number > header.number and not line.startswith("#"))


def _run(header: Header, fasta: Path, folder: Path) -> None:
    command = ["bcftools", "csq", "--local-csq", "--fasta-ref", str(fasta), "--gff-annot", str(folder / "genes.gff3")]
    command += ["--output-type", "v", "--output", str(folder / "annotated.vcf"), str(folder / "sites.vcf")]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip() and not line.startswith("[W::")]
        what = (said[-1] if said else f"it ended with code {done.returncode}").replace(f"{folder}/", "")
        raise InputError(
            f"{header.path}: bcftools csq failed: {what[:300]}. Give the genome that the variants were called on, the "
            "genes of the same assembly, and records sorted by position (bcftools sort)"
        )


def _read_consequences(path: Path) -> dict[int, str]:
    found = {}
    for _, line in delimited.lines(path, "reading the consequences"):
        if not line.startswith("#"):
            fields = line.split("\t")
            value = next((text[5:] for text in fields[7].split(";") if text.startswith("BCSQ=")), "intergenic")
            found[int(fields[2])] = value
    return found
