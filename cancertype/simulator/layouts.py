"""Draws turned into rows of a MAF (MC3's columns) or of OmicsSomaticMutations.csv (DepMap 25Q3's columns), in blocks.

Coordinates are fictional: the genes lie end to end without introns on 23 chromosomes, every second one on the minus
strand. A gene and codon always give the same coordinates, alleles follow the strand, and CONTEXT agrees with the
altered codon.
"""

import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from ..files import whole_file
from ..package_data import rows as rows_of
from .alterations import ALTERATIONS, COMPLEMENT, EFFECT_OF, EFFECTS
from .draws import Draws, is_truncating
from .figures import current_symbols, genes


def _columns(layout: str, small: bool = False) -> tuple[str, ...]:
    rows = rows_of("simulator", "simulated_columns.csv")
    return tuple(r["column"] for r in rows if r["layout"] == layout and (not small or r["small_cohort"] == "yes"))


MAF_COLUMNS = _columns("maf")
"""The 114 columns of MC3's public MAF, in its order."""

MAF_CORE_COLUMNS = _columns("maf", small=True)
"""The MC3 columns that hold something worth reading: what the small cohort's MAF carries, in the same order."""

DEPMAP_COLUMNS = _columns("depmap")
"""The 63 columns of OmicsSomaticMutations.csv of 25Q3, in its order."""

_MAF_CLASSES = {
    "missense": ("Missense_Mutation", "MODERATE"),
    "silent": ("Silent", "LOW"),
    "nonsense": ("Nonsense_Mutation", "HIGH"),
    "stop_lost": ("Nonstop_Mutation", "HIGH"),
    "start_lost": ("Translation_Start_Site", "HIGH"),
    "splice": ("Splice_Site", "HIGH"),
    "frameshift_deletion": ("Frame_Shift_Del", "HIGH"),
    "frameshift_insertion": ("Frame_Shift_Ins", "HIGH"),
    "inframe_deletion": ("In_Frame_Del", "MODERATE"),
    "inframe_insertion": ("In_Frame_Ins", "MODERATE"),
}
_SEQUENCE_ONTOLOGY = {
    "missense": "missense_variant",
    "silent": "synonymous_variant",
    "nonsense": "stop_gained",
    "stop_lost": "stop_lost",
    "start_lost": "start_lost",
    "splice": "splice_donor_variant",
    "frameshift_deletion": "frameshift_variant",
    "frameshift_insertion": "frameshift_variant",
    "inframe_deletion": "inframe_deletion",
    "inframe_insertion": "inframe_insertion",
}
_PADS = 1024
_FLANK = 5


def _reverse_complement(bases: str) -> str:
    return bases.translate(COMPLEMENT)[::-1]


def _pool(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.string())


def _stranded(read: Callable) -> list[str]:
    """What ``read`` gives for every alteration on the plus strand, then for every one on the minus strand."""
    forward = [read(a) for a in ALTERATIONS]
    return forward + [_reverse_complement(text) for text in forward]


def _highlighted(codon: str, offset: int, length: int) -> str:
    """A codon as VEP writes it: the altered bases in capitals."""
    return codon[:offset].lower() + codon[offset : offset + length] + codon[offset + length :].lower()


@cache
def _texts() -> dict[str, pa.Array]:
    """How each alteration is written, by its index (alleles by its index on the plus, then on the minus strand)."""
    point = [a.codon and len(a.reference) == len(a.alternative) for a in ALTERATIONS]
    codons = [
        "/".join(_highlighted(codon, a.offset, len(a.reference)) for codon in (a.codon, a.altered_codon))
        if is_point
        else "."
        for a, is_point in zip(ALTERATIONS, point, strict=True)
    ]
    kinds = [
        "DEL" if not a.alternative else "INS" if not a.reference else "DNP" if len(a.reference) == 2 else "SNP"
        for a in ALTERATIONS
    ]
    depmap_kind = {"SNP": "SNV", "DNP": "substitution", "DEL": "deletion", "INS": "insertion"}
    changes = [
        f"{a.reference}>{a.alternative}"
        if kind == "SNP"
        else f"delins{a.alternative}"
        if kind == "DNP"
        else f"del{a.reference}"
        if kind == "DEL"
        else f"ins{a.alternative}"
        for a, kind in zip(ALTERATIONS, kinds, strict=True)
    ]
    return {
        "reference": _pool(_stranded(lambda a: a.reference)),
        "alternative": _pool(_stranded(lambda a: a.alternative)),
        "before": _pool([a.before for a in ALTERATIONS]),
        "infix": _pool([a.infix for a in ALTERATIONS]),
        "after": _pool([a.after for a in ALTERATIONS]),
        "before_ter": _pool([a.before.replace("*", "Ter") for a in ALTERATIONS]),
        "after_ter": _pool([a.after.replace("*", "Ter") for a in ALTERATIONS]),
        "codons": _pool(codons),
        "variant_type": _pool(kinds),
        "depmap_type": _pool([depmap_kind[kind] for kind in kinds]),
        "dna": _pool(changes),
        "maf_class": _pool([_MAF_CLASSES[a.effect][0] for a in ALTERATIONS]),
        "impact": _pool([_MAF_CLASSES[a.effect][1] for a in ALTERATIONS]),
        "ontology": _pool([_SEQUENCE_ONTOLOGY[a.effect] for a in ALTERATIONS]),
    }


_OFFSET = np.array([a.offset for a in ALTERATIONS])
_SPAN = np.array([a.span for a in ALTERATIONS])
_REF_LENGTH = np.array([len(a.reference) for a in ALTERATIONS])
_IS_INDEL = np.array([len(a.reference) != len(a.alternative) for a in ALTERATIONS])
_IS_INSERTION = _REF_LENGTH == 0
_IS_SPLICE = EFFECTS.index("splice") == EFFECT_OF


@cache
def _layout() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chromosome (0 to 22), first base and strand (0 plus, 1 minus) of every gene."""
    lengths = genes()[1] * 3 + 2000
    chromosome = np.arange(len(lengths)) % 23
    start = np.empty(len(lengths), np.int64)
    for number in range(23):
        here = chromosome == number
        start[here] = 1_000_000 + np.cumsum(lengths[here]) - lengths[here]
    return chromosome, start, (np.arange(len(lengths)) // 23) % 2


@cache
def _chromosomes(prefix: str) -> pa.Array:
    return _pool([f"{prefix}{name}" for name in [*range(1, 23), "X"]])


@cache
def _symbols(current: bool) -> pa.Array:
    """Gene symbols as TCGA wrote them, or the current ones that DepMap writes."""
    return _pool(list(current_symbols() if current else genes()[0]))


@cache
def _pads() -> pa.Array:
    """Random flanks of 0 to 6 bases, ``_PADS`` of each length, shortest first."""
    bases = np.random.default_rng(11).integers(0, 4, (_PADS, _FLANK + 1))
    return _pool(["".join("ACGT"[b] for b in row[:n]) for n in range(_FLANK + 2) for row in bases])


def _text(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _joined(*parts) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _take(pool: pa.Array, indices: np.ndarray) -> pa.Array:
    return pool.take(pa.array(indices))


def _positions(draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Leftmost altered base (of an insertion: the base left of it) and strand of every variant."""
    _, start, strand = _layout()
    strand = strand[draws.gene]
    length, offset = _REF_LENGTH[draws.alteration], _OFFSET[draws.alteration]
    coding = 3 * (draws.codon - 1) + offset
    end = start[draws.gene] + 3 * (genes()[1][draws.gene] + 2)
    insertion = _IS_INSERTION[draws.alteration]
    plus = start[draws.gene] + coding - insertion
    return np.where(strand == 0, plus, end - coding - np.where(insertion, 1, length) + 1), strand


def _protein_changes(draws: Draws, stop: str) -> pa.Array:
    texts, ter = _texts(), "_ter" if stop == "Ter" else ""
    second = pc.if_else(pa.array(_SPAN[draws.alteration] > 0), _text(draws.codon + _SPAN[draws.alteration]), "")
    return _joined(
        "p.",
        _take(texts[f"before{ter}"], draws.alteration),
        _text(draws.codon),
        _take(texts["infix"], draws.alteration),
        second,
        _take(texts[f"after{ter}"], draws.alteration),
    )


@cache
def _centres() -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """What is known around each alteration on either strand of the reference (its codon, or its first base alone),
    how many of those bases stand left of the first altered one, and how many there are; plus strand first, then
    minus."""
    plus, minus, left = [], [], []
    for a in ALTERATIONS:
        in_codon = a.codon and len(a.reference) == len(a.alternative)
        plus.append(a.codon if in_codon else a.reference[:1])
        minus.append(_reverse_complement(a.codon if in_codon else a.reference[-1:]))
        left.append((a.offset, 3 - a.offset - len(a.reference)) if in_codon else (0, 0))
    texts = plus + minus
    return _pool(texts), np.array(left).T.ravel(), np.array([len(text) for text in texts])


def _contexts(draws: Draws, strand: np.ndarray) -> pa.Array:
    """Eleven bases of the plus strand, the (first) altered one in the middle, as in MC3's CONTEXT."""
    centre, left, length = _centres()
    stranded = draws.alteration + strand * len(ALTERATIONS)
    pad = (draws.gene * 7919 + draws.codon * 104729) % _PADS
    pool = _pads()
    before = _take(pool, (_FLANK - left[stranded]) * _PADS + pad)
    after = _take(pool, (_FLANK + 1 + left[stranded] - length[stranded]) * _PADS + (pad * 31 + 7) % _PADS)
    return _joined(before, _take(centre, stranded), after)


@dataclass(frozen=True)
class Block:
    """Some cases' variants; variant ``i`` belongs to the sample (MAF) or model (DepMap) ``samples[sample_of[i]]``."""

    draws: Draws
    samples: list[str]
    sample_of: np.ndarray

    def __len__(self) -> int:
        return len(self.draws)

    def take(self, chosen: np.ndarray | slice) -> Self:
        """The variants chosen by a mask, indices or a slice."""
        return Block(self.draws.take(chosen), self.samples, self.sample_of[chosen])


def maf_values(block: Block, columns: tuple[str, ...]) -> dict[str, pa.Array]:
    """The columns of a MAF that depend on the variant; ``columns`` limits the work."""
    draws, texts = block.draws, _texts()
    position, strand = _positions(draws)
    stranded = draws.alteration + strand * len(ALTERATIONS)
    dashed = {name: pc.if_else(pc.equal(texts[name], ""), "-", texts[name]) for name in ("reference", "alternative")}
    reference, alternative = (_take(dashed[name], stranded) for name in ("reference", "alternative"))
    sample = _take(_pool(block.samples), block.sample_of)
    gene, codon = _take(_symbols(False), draws.gene), _text(draws.codon)
    change = _protein_changes(draws, "*")
    transcript = _joined("ENSTSIM", pc.utf8_lpad(_text(draws.gene), 8, "0"))
    coding = _joined(transcript, ":c.", _text(3 * (draws.codon - 1) + _OFFSET[draws.alteration] + 1))
    values = {
        "Hugo_Symbol": gene,
        "Chromosome": _take(_chromosomes(""), _layout()[0][draws.gene]),
        "Start_Position": _text(position),
        "End_Position": _text(
            position + np.maximum(_REF_LENGTH[draws.alteration] - 1, _IS_INSERTION[draws.alteration])
        ),
        "Variant_Classification": _take(texts["maf_class"], draws.alteration),
        "Variant_Type": _take(texts["variant_type"], draws.alteration),
        "Reference_Allele": reference,
        "Tumor_Seq_Allele1": reference,
        "Tumor_Seq_Allele2": alternative,
        "Tumor_Sample_Barcode": sample,
        "Matched_Norm_Sample_Barcode": pc.replace_substring_regex(sample, r"-\d\dA$", "-10A"),
        "HGVSp_Short": change,
        "t_depth": _text(draws.depth),
        "t_ref_count": _text(draws.depth - draws.alt_reads),
        "t_alt_count": _text(draws.alt_reads),
        "Protein_position": codon,
        "Codons": _take(texts["codons"], draws.alteration),
        "STRAND": _take(_pool(["1", "-1"]), strand),
        "IMPACT": _take(texts["impact"], draws.alteration),
        "CONTEXT": _contexts(draws, strand),
        "HGVSc": _joined(coding, _take(texts["dna"], draws.alteration)),
        "HGVSp": change,
        "Transcript_ID": transcript,
        "Feature": transcript,
        "Consequence": _take(texts["ontology"], draws.alteration),
        "SYMBOL": gene,
        "Allele": alternative,
        "CDS_position": codon,
    }
    return {name: value for name, value in values.items() if name in columns}


def depmap_values(block: Block, columns: tuple[str, ...]) -> dict[str, pa.Array]:
    """The columns of OmicsSomaticMutations.csv that depend on the variant. Indels are anchored on the base left of
    them, as in a VCF, and splice-site variants have no protein change."""
    draws, texts = block.draws, _texts()
    position, strand = _positions(draws)
    stranded = draws.alteration + strand * len(ALTERATIONS)
    indel = _IS_INDEL[draws.alteration]
    anchor = pc.if_else(pa.array(indel), _take(_pool(list("ACGT")), (draws.codon * 7 + draws.gene) % 4), "")
    fraction = np.round(draws.alt_reads / draws.depth, 3)
    transcript = _joined("ENSTSIM", pc.utf8_lpad(_text(draws.gene), 8, "0"))
    truth = _pool(["False", "True"])
    truncating = is_truncating(draws).astype(np.int8)
    values = {
        "ModelID": _take(_pool(block.samples), block.sample_of),
        "Chrom": _take(_chromosomes("chr"), _layout()[0][draws.gene]),
        "Pos": _text(position - (indel & ~_IS_INSERTION[draws.alteration])),
        "Ref": _joined(anchor, _take(texts["reference"], stranded)),
        "Alt": _joined(anchor, _take(texts["alternative"], stranded)),
        "AF": _text(fraction),
        "DP": _text(draws.depth),
        "RefCount": _text(draws.depth - draws.alt_reads),
        "AltCount": _text(draws.alt_reads),
        "VariantType": _take(texts["depmap_type"], draws.alteration),
        "VariantInfo": _take(texts["ontology"], draws.alteration),
        "DNAChange": _joined(
            transcript,
            ":c.",
            _text(3 * (draws.codon - 1) + _OFFSET[draws.alteration] + 1),
            _take(texts["dna"], draws.alteration),
        ),
        "ProteinChange": pc.if_else(pa.array(_IS_SPLICE[draws.alteration]), "", _protein_changes(draws, "Ter")),
        "HugoSymbol": _take(_symbols(True), draws.gene),
        "EnsemblGeneID": _joined("ENSGSIM", pc.utf8_lpad(_text(draws.gene), 8, "0")),
        "EnsemblFeatureID": transcript,
        "VepImpact": _take(texts["impact"], draws.alteration),
        "GnomadeAF": _text(np.array([float(f"{f:.4g}") for f in draws.population])),
        "LikelyLoF": _take(truth, truncating),
        "HessDriver": _take(truth, draws.recurrent.astype(np.int8)),
        "Hotspot": _take(truth, draws.recurrent.astype(np.int8)),
    }
    return {name: value for name, value in values.items() if name in columns}


class _Filler:
    """Columns that do not depend on the variant: a few strings of the real thing's usual length, so that a full-size
    file costs its reader as much. Each is built once and cut to the blocks' lengths."""

    def __init__(self, layout: str):
        rows = rows_of("simulator", "simulated_columns.csv")
        self._cells = {r["column"]: r["cells_of_unused"] for r in rows if r["layout"] == layout}
        self._built: dict[str, pa.Array] = {}

    def column(self, name: str, rows: int) -> pa.Array:
        cells = self._cells[name]
        built = self._built.get(cells)
        if built is None or len(built) < rows:
            pool = cells.split(";")
            built = self._built[cells] = _take(_pool(pool), np.arange(rows) % len(pool))
        return built[:rows]


def maf_table(columns: tuple[str, ...] = MAF_CORE_COLUMNS) -> Callable[[Block], pa.Table]:
    """A function that turns a block into the text cells of a MAF with ``columns``; empty cells hold "." as in MC3."""
    filler = _Filler("maf")
    return lambda block: _table(maf_values(block, columns), columns, filler, len(block))


def depmap_table(columns: tuple[str, ...] = DEPMAP_COLUMNS) -> Callable[[Block], pa.Table]:
    """A function that turns a block into the text cells of OmicsSomaticMutations.csv with ``columns``."""
    filler = _Filler("depmap")
    return lambda block: _table(depmap_values(block, columns), columns, filler, len(block))


def _table(values: dict[str, pa.Array], columns: tuple[str, ...], filler: _Filler, rows: int) -> pa.Table:
    return pa.table([values[c] if c in values else filler.column(c, rows) for c in columns], names=list(columns))


def write_text(path: Path, header: str, tables: Iterator[pa.Table], delimiter: str) -> None:
    """Stream ``tables`` of text cells below ``header`` into ``path`` (gzipped if it ends in .gz), whole or not at all.

    The gzip header carries neither time nor name, so that equal tables give equal bytes.
    """
    options = pacsv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
    with whole_file(path) as part, open(part, "wb") as raw:
        zipped = gzip.GzipFile("", "wb", 1, raw, mtime=0) if path.suffix == ".gz" else raw
        buffered = io.BufferedWriter(zipped, 1 << 20) if zipped is not raw else raw
        buffered.write(header.encode())
        for table in tables:
            pacsv.write_csv(table, buffered, options)
        buffered.flush()
        if zipped is not raw:
            zipped.close()
