"""Gene fusions from files: callers of RNA, cBioPortal's files, structural-variant VCFs, and plain lists.

- RNA callers: STAR-Fusion, Arriba, FusionCatcher, JAFFA, DRAGEN, EricScript, and DepMap's OmicsFusionFiltered.
- Tables of studies: cBioPortal's data_sv.txt and data_fusions.txt, TumorFusions, LINX, Foundation.
- VCF: structural variants annotated by SnpEff (ANN) or VEP (CSQ).
- Lists: (sample, fusion), (gene, gene), (sample, gene, gene), with or without a header.

Callers, and columns that say so, give the order 5' to 3'. Pairs that somebody wrote down may have either order and get
the usual one (``known_fusions.in_usual_order``).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import pyarrow as pa

from ..alterations.combine import without_repeats
from ..alterations.known_fusions import in_usual_order, with_unknown_partner
from ..alterations.schema import FUSIONS, Alterations
from ..errors import InputError
from ..tables import delimited
from ..tables.accounts import RowTally
from ..tables.rows import TextTable, open_table
from ..variants.genes import known_genes
from . import fusions_vcf
from .alteration_file import (
    NO_VALUE,
    RECEPTOR_LOCI,
    SAMPLE_COLUMNS,
    AlterationFile,
    fusion_gene,
    is_vcf,
    one_sample,
)
from .karyotype import chromosome_event

Row = dict[str, str]
"""A row by the keys of its columns."""

_LOW_CONFIDENCE = "the caller marks it as of low confidence"
_READ_THROUGH = "read-through of neighbouring genes"
_NORMAL_TISSUE = "the caller marks it as known from normal tissue, or as an artefact"
_GERMLINE = "inherited"
_NOT_REPORTED = "the caller does not report it"
_ONE_GENE = "within one gene"
_UNKNOWN_EVENT = (
    "within one gene, and none of the events that are read as mutations (EGFRvIII, MET exon 14 skipping, KMT2A-PTD, "
    "EGFR-KDD): state it as text beside the file, such as BRCA2 loss exons 3-5"
)
_NO_GENE = "between genes on both sides"
_UNCLEAR = "no pair of genes"
_NO_SAMPLE = "the sample has no name"
_MISSING = "no value (NA)"
_NOT_DEFAULT = "not the default profile of its model"

_SEPARATORS = re.compile(r"\s*(?:::|--|→|->|>>|\||:)\s*")
_HYPHENS = re.compile(r"\s*[-\u2010-\u2015/_]\s*")
_NOISE = re.compile(
    r"\b(?:gene )?(?:fusions?|rearrangements?|rearranged|translocations?|transcripts?|positive|detected)\b.*$",
    re.IGNORECASE,
)
_EVENTS = tuple(
    (gene, re.compile(pattern, re.IGNORECASE), words)
    for gene, pattern, words in (
        ("EGFR", r"v(?:ariant)?[ _-]*III(?![a-z])", "EGFRvIII"),
        ("EGFR", r"(?=.*(?:del|loss)).*\bexons?[ _]*2[ _]*(?:-|to)[ _]*(?:exons?[ _]*)?7\b", "EGFRvIII"),
        ("EGFR", r"\bKDD\b|kinase[ _-]domain[ _-]dup", "EGFR kinase domain duplication"),
        ("MET", r"(?=.*(?:skip|del|loss|splic|metex)).*ex(?:on)?[ _.-]*14(?!\d)", "MET exon 14 skipping"),
        ("KMT2A", r"\bPTD\b|partial[ _-]tandem[ _-]dup", "KMT2A-PTD"),
    )
)
"""Gene, how tables describe its event, and what free text calls it, which reads it as a small mutation."""
_EVENT_COLUMNS = ("eventinfo", "annotation", "comments", "fusion", "class", "svclass", "type")
_BETWEEN_GENES = re.compile(r"\S\(\d+\)")
_NO_PARTNER = NO_VALUE | {"intergenic", "unknown", "novel", "igr", "?"}
_WITHIN_ONE = frozenset(["intragenic", "vii", "viii", "kdd", "itd", "ptd"])
_NO_FUSION = frozenset(
    ["no", "none", "negative", "neg", "not detected", "none detected", "no fusion", "no fusions", "no fusion detected",
     "no fusions detected", "not found", "absent", "wt", "wild type", "wildtype"]
)  # fmt: skip
"""Words of a list which say that fusions of a sample were looked for and not found. An empty cell does not."""
_STAR_ARTEFACTS = re.compile(
    r"GTEx_recurrent|BodyMap|Babiceanu_Normal|Greger_Normal|DGD_PARALOGS|HGNC_GENEFAM|ConjoinG", re.IGNORECASE
)
_STAR_KNOWN = re.compile(r"Mitelman|ChimerKB|Cosmic|CCLE_StarF|TCGA_StarF|Oncomap|FA_CancerSupp", re.IGNORECASE)
_CATCHER_ARTEFACTS = frozenset(
    (
        "1000genomes", "banned", "bodymap2", "cacg", "conjoing", "cortex", "distance1000bp",
        "ensembl_fully_overlapping", "ensembl_partially_overlapping", "ensembl_same_strand_overlapping", "fragments",
        "gtex", "healthy", "hpa", "mt", "non_cancer_tissues", "non_tumor_cells", "pair_pseudo_genes", "paralogs",
        "refseq_fully_overlapping", "refseq_partially_overlapping", "refseq_same_strand_overlapping", "ribosomal",
        "rrna", "short_distance", "similar_reads", "similar_symbols", "snorna", "snrna", "ucsc_fully_overlapping",
        "ucsc_partially_overlapping", "ucsc_same_strand_overlapping", "yrna",
    )
)  # fmt: skip
"""Labels that FusionCatcher's manual names as signs of a false positive."""


def _star_fusion(row: Row) -> str | None:
    annotation = row.get("annots", "")
    if _STAR_ARTEFACTS.search(annotation) and not _STAR_KNOWN.search(annotation):
        return _NORMAL_TISSUE
    unanchored = row.get("largeanchorsupport", "").upper().startswith("NO")
    return _LOW_CONFIDENCE if unanchored and row.get("spanningfragcount", "") in ("0", "0.0") else None


def _arriba(row: Row) -> str | None:
    if row.get("confidence", "").lower() == "low":
        return _LOW_CONFIDENCE
    return _READ_THROUGH if "read-through" in row.get("type", "").lower() else None


def _fusion_catcher(row: Row) -> str | None:
    labels = {label.strip().lower() for label in re.split(r"[,;]", row.get("fusiondescription", ""))}
    if "known" in labels:
        return None
    if "readthrough" in labels:
        return _READ_THROUGH
    return _NORMAL_TISSUE if labels & _CATCHER_ARTEFACTS else None


def _jaffa(row: Row) -> str | None:
    found = row.get("classification", "").lower()
    if "readthrough" in found:
        return _READ_THROUGH
    return _LOW_CONFIDENCE if "lowconfidence" in found or "transsplicing" in found else None


def _linx(row: Row) -> str | None:
    return _NOT_REPORTED if row.get("reported", "true").lower() in ("false", "no", "0") else None


def _of_study(row: Row) -> str | None:
    status = row.get("svstatus", row.get("fusionstatus", "")).upper()
    return _GERMLINE if status == "GERMLINE" else None


def _foundation(row: Row) -> str | None:
    """Deletions, duplications and truncations without another gene are within the one that is named."""
    fused = not row.get("type", "").strip() or re.search("fusion|rearrange|transloc", row["type"], re.IGNORECASE)
    return None if fused or _one_gene(row["othergene"]) else _ONE_GENE


def _nothing(row: Row) -> str | None:
    return None


@dataclass(frozen=True)
class _Layout:
    """Columns (by ``tables.rows.key``) of the 5' and the 3' gene, or of a ``pair``; ``refusal`` gives the reason why a
    row does not count. ``screens``: every sample in the file had its RNA searched for fusions. ``either_order``: the
    columns do not say which gene is the 5' one."""

    name: str
    needs: tuple[str, ...]
    five_prime: str = ""
    three_prime: str = ""
    pair: str = ""
    refusal: Callable[[Row], str | None] = _nothing
    screens: bool = False
    either_order: bool = False


_LAYOUTS = (
    _Layout("STAR-Fusion", ("leftgene", "rightgene"), "leftgene", "rightgene", refusal=_star_fusion, screens=True),
    _Layout("LINX", ("genestart", "geneend"), "genestart", "geneend", refusal=_linx),
    *(
        _Layout("cBioPortal's data_sv", sites, *sites, refusal=_of_study, either_order=True)
        for sites in (("site1hugosymbol", "site2hugosymbol"), ("site1gene", "site2gene"))
    ),
    _Layout("Arriba", ("gene1", "gene2", "confidence"), "gene1", "gene2", refusal=_arriba, screens=True),
    _Layout("FusionCatcher", ("gene1symbol5endfusionpartner", "gene2symbol3endfusionpartner"),
            "gene1symbol5endfusionpartner", "gene2symbol3endfusionpartner", refusal=_fusion_catcher, screens=True),
    _Layout("JAFFA", ("fusiongenes", "classification"), pair="fusiongenes", refusal=_jaffa, screens=True),
    _Layout("DepMap's fusions", ("fusionname", "modelid"), pair="fusionname", screens=True),
    _Layout("DepMap's fusions", ("canonicalfusionname", "modelid"), pair="canonicalfusionname", screens=True),
    _Layout("DRAGEN", ("fusiongene", "score"), pair="fusiongene", screens=True),
    _Layout("Foundation Medicine", ("targetedgene", "othergene"), "targetedgene", "othergene", refusal=_foundation,
            either_order=True),
    _Layout("cBioPortal's data_fusions", ("hugosymbol", "fusion"), pair="fusion", refusal=_of_study),
    *(
        _Layout("pairs of genes", pair, *pair)
        for pair in (
            ("fiveprime", "threeprime"), ("fiveprimegene", "threeprimegene"), ("5prime", "3prime"), ("gene5", "gene3"),
            ("5primegene", "3primegene"), ("gene5prime", "gene3prime"), ("upstreamgene", "downstreamgene"),
            ("headgene", "tailgene"), ("hgene", "tgene"), ("fivegene", "threegene"), ("5gene", "3gene"),
            ("donorgene", "acceptorgene"), ("genenameup", "genenamedown"), ("genea", "geneb"),
            ("geneaname", "genebname"), ("genename1", "genename2"),
        )
    ),
    *(
        _Layout("pairs of genes", pair, *pair, either_order=True)
        for pair in (
            ("gene1", "gene2"), ("partner1", "partner2"), ("genex", "geney"),
            ("gene1symbol", "gene2symbol"), ("genesymbol1", "genesymbol2"), ("gene1name", "gene2name"),
        )
    ),
    *(
        _Layout("list of fusions", (name,), pair=name)
        for name in ("fusion", "fusionname", "fusiongene", "genefusion", "genepair", "fusions", "fusionpair", "event")
    ),
)  # fmt: skip

LAYOUTS = (
    "STAR-Fusion, Arriba, FusionCatcher, JAFFA, DRAGEN or LINX tables",
    "cBioPortal's data_sv.txt and data_fusions.txt, DepMap's OmicsFusionFiltered, TumorFusions (Gene_A, Gene_B)",
    "a structural-variant VCF annotated by SnpEff or VEP",
    "a list of two columns (sample and fusion, or two genes)",
)


def read(
    path: Path,
    *,
    screened: Path | str | Iterable[str] | None = None,
    sample: str | None = None,
    events: bool = False,
) -> AlterationFile:
    """Read one file of fusions; the layout is recognised by its content (``LAYOUTS``).

    ``screened`` names the samples whose fusions were looked for: a file with one name per line (or cBioPortal's
    case list), or the names. A sample that is not in it, and that the file itself does not show to be searched, has
    unknown fusions where it has none. ``sample`` names the one sample of a file that names none (default: the file's
    name). Calls that the tool marks as of low confidence, inherited, read-through or known from normal tissue are left
    out and counted. A gene is null where the breakpoint lies between genes or no partner is named.

    ``events``: also give the events within one gene that count as small mutations (EGFRvIII, MET exon 14 skipping,
    KMT2A-PTD, EGFR-KDD), in the words of free text. Otherwise every row within one gene is left out.

    Raises ``InputError`` with file and line for what cannot be read.
    """
    path = Path(path)
    known = screened_samples(screened)
    table = open_table(path)
    if is_vcf(table):
        return _finish(*fusions_vcf.read(table, sample), known, "VCF")
    layout = _layout(table)
    rows = _rows(table) if layout else None
    if layout is None:
        layout, rows = _without_header(table)
    return _read(table, rows, layout, sample, known, events)


def screened_samples(screened: Path | str | Iterable[str] | None) -> frozenset[str]:
    """The names in ``screened``: a file (a path or its name) with one per line or in a cBioPortal case list, or the
    names themselves."""
    if screened is None:
        return frozenset()
    if not isinstance(screened, Path | str):
        return frozenset(screened)
    path, names = Path(screened), []
    for _, line in delimited.lines(path):
        keyword, separator, rest = line.partition(":")
        if separator and keyword in ("case_list_ids", "cancer_study_identifier", "stable_id", "case_list_name",
                                     "case_list_description", "case_list_category"):  # fmt: skip
            names += rest.split() if keyword == "case_list_ids" else []
        elif line.strip() and not line.startswith("#"):
            names.append(re.split(r"[\t,;]", line)[0].strip("\"' "))
    if not names:
        raise InputError(f"{path}: names no sample: write one per line")
    return frozenset(names) - {"sample", "Sample", "SAMPLE_ID", "patient", "PATIENT_ID", "sample_id"}


def _layout(table: TextTable) -> _Layout | None:
    keys = set(table.keys())
    return next((layout for layout in _LAYOUTS if keys >= set(layout.needs)), None)


def _rows(table: TextTable) -> Iterator[tuple[int, Row]]:
    keys = table.keys()
    for number, fields in table.rows():
        yield number, dict(zip(keys, fields, strict=True))


def _without_header(table: TextTable) -> tuple[_Layout, Iterator[tuple[int, Row]]]:
    """A list of two or three columns, whose first line may be a row already."""
    first = list(table.names)
    rows = chain([(table.line, first)], table.rows())
    by_width = {
        1: (_Layout("list of fusions", (), pair="pair"), ("pair",)),
        2: (_Layout("pairs of genes", (), "a", "b", either_order=True), ("a", "b"))
        if all(_is_gene(name) for name in first)
        else (_Layout("list of fusions", (), pair="pair"), ("sample", "pair")),
        3: (_Layout("pairs of genes", (), "a", "b", either_order=True), ("sample", "a", "b")),
    }
    layout, names = by_width.get(len(first), (None, ()))
    looks = layout and (split_pair(first[-1]) if layout.pair else all(_is_gene(name) for name in first[-2:]))
    if not looks:
        listed = ", ".join(table.names[:8]) + (", ..." if len(table.names) > 8 else "")
        raise InputError(
            f"{table.path}: line {table.line}: not a layout of fusions that is known. Its columns are {listed}. "
            f"Readable are: {'; '.join(LAYOUTS)}"
        )
    return layout, ((number, dict(zip(names, fields, strict=True))) for number, fields in rows)


def _is_gene(text: str) -> bool:
    return fusion_gene(text).upper() in known_genes() or bool(RECEPTOR_LOCI.fullmatch(text))


def _read(
    table: TextTable,
    rows: Iterator[tuple[int, Row]],
    layout: _Layout,
    sample: str | None,
    screened: frozenset[str],
    with_events: bool,
) -> AlterationFile:
    tally, pairs, seen, events, searched = RowTally(), [], {}, [], set()
    of_sample = next((name for name in SAMPLE_COLUMNS if name in table.keys()), None)  # noqa: SIM118
    alone = one_sample(table.path, sample)
    if layout.screens and of_sample is None:
        seen[alone] = None
    for number, row in rows:
        name = (row[of_sample] if of_sample in row else row.get("sample", alone)).strip("\"' ")
        where = f"line {number}"
        if not name:
            tally.leave_out(_NO_SAMPLE, examples=[where])
            continue
        seen[name] = None
        if row.get("isdefaultentryformodel", "yes").lower() not in ("yes", "true", "1", ""):
            tally.leave_out(_NOT_DEFAULT, examples=[name])
        elif reason := layout.refusal(row):
            tally.leave_out(reason, examples=[where])
        elif layout.pair and row[layout.pair].strip("\"' ").lower() in _NO_FUSION:
            tally.used += 1
            searched.add(name)
        elif layout.pair and row[layout.pair].strip("\"' ").lower() in NO_VALUE:
            tally.leave_out(_MISSING, examples=[where])
        elif listed := _several(row, layout):
            tally.used += 1
            pairs += [(name, *pair) for pair in listed]
        elif with_events and (event := _event(row, layout)):
            tally.used += 1
            events.append((name, event))
        elif (pair := _pair(row, layout)) == _ONE_GENE and with_events:
            tally.leave_out(_UNKNOWN_EVENT, examples=[f"{where}: {_described(row, layout)}"])
        elif isinstance(pair, str):
            (tally.misunderstand if pair == _UNCLEAR else tally.leave_out)(
                pair, examples=[f"{where}: {_said(row, layout)}"]
            )
        else:
            tally.used += 1
            pairs.append((name, *pair))
    found = _finish(pairs, tally, screened | searched | (seen.keys() if layout.screens else set()), layout.name)
    if not with_events:
        return found
    given = {name for name, *_ in (*pairs, *events)} | found.alterations.screened_for_fusions
    silent = tuple(name for name in seen if name not in given)
    return found._replace(events=tuple(dict.fromkeys(events)), silent=silent)


def _several(row: Row, layout: _Layout) -> list[tuple[str, str]]:
    """The pairs of a list's cell that names more than one: ``EML4-ALK; TMPRSS2-ERG``."""
    parts = re.split(r"[;,]", row.get(layout.pair, "")) if layout.pair and not layout.screens else []
    found = [split_pair(part.strip()) for part in parts]
    if len(found) < 2 or not all(pair is not None and all(pair) and pair[0] != pair[1] for pair in found):
        return []
    return [in_usual_order(*pair) for pair in found]


def _event(row: Row, layout: _Layout) -> str | None:
    """What free text calls the event within one gene that a row states; None for a fusion, and for any other event."""
    if isinstance(pair := _pair(row, layout), tuple) and None not in pair:
        return None
    said = _described(row, layout)
    stated = {fusion_gene(gene) for gene in re.findall(r"[A-Za-z0-9]+?(?=vIII|ex14|[^A-Za-z0-9]|$)", said) if gene}
    return next((words for gene, pattern, words in _EVENTS if gene in stated and pattern.search(said)), None)


def _described(row: Row, layout: _Layout) -> str:
    """The genes of a row and its words on the event."""
    names = (layout.five_prime, layout.three_prime, layout.pair, *layout.needs, *_EVENT_COLUMNS)
    return "; ".join(dict.fromkeys(text for name in names if (text := row.get(name, "").strip())))[:200]


def _said(row: Row, layout: _Layout) -> str:
    return " ".join(row.get(name, "") for name in (layout.five_prime, layout.three_prime, layout.pair) if name)[:60]


def _finish(
    pairs: list[tuple[str, str | None, str | None]], tally: RowTally, screened: Iterable[str], layout: str
) -> AlterationFile:
    case, five, three = zip(*pairs, strict=True) if pairs else ((), (), ())
    table = pa.table([pa.array(column, pa.string()) for column in (case, five, three)], schema=FUSIONS)
    alterations = Alterations(fusions=without_repeats(table), screened_for_fusions=frozenset(screened))
    return AlterationFile(alterations, tally.dropped("fusions", "row"), tally.account("row"), {"layout": layout})


def _pair(row: Row, layout: _Layout) -> tuple[str | None, str | None] | str:
    """The two genes of a row, 5' first, or the reason why there are none."""
    if layout.pair:
        text = row.get(layout.pair, "")
        if "intragenic" in text.lower():
            return _ONE_GENE
        pair = split_pair(text)
        if pair is None:
            return _UNCLEAR
        # A pair that somebody wrote down may have the 3' gene first; a caller's columns never do.
        pair = in_usual_order(*pair) if all(pair) else with_unknown_partner(next(filter(None, pair)))
    else:
        pair = tuple(_one_gene(row.get(name, "")) for name in (layout.five_prime, layout.three_prime))
        pair = _ordered(pair, row.get("eventinfo") or row.get("annotation", ""))
        if layout.either_order and None in pair and any(pair):
            pair = with_unknown_partner(next(filter(None, pair)))
        elif layout.either_order and all(pair):
            pair = in_usual_order(*pair)
    if pair == (None, None):
        return _NO_GENE
    return _ONE_GENE if pair[0] == pair[1] else pair


def _one_gene(text: str) -> str | None:
    """The gene at one end; None where the breakpoint is between genes (Arriba: ``A(1234),B(567)``) or none is
    named."""
    text = text.strip().strip("\"'")
    if text.lower() in _NO_PARTNER or _BETWEEN_GENES.search(text):
        return None
    return fusion_gene(text) or None


def _ordered(pair: tuple[str | None, str | None], event: str) -> tuple[str | None, str | None]:
    """The pair as the event names it: cBioPortal's sites are in the order of the genome in some studies, and
    ``{EML4:ALK}`` or ``EML4-ALK fusion`` beside them states the 5' gene first."""
    match = re.search(r"\{?([\w@.\-]+)[:\-]{1,2}([\w@.\-]+)\}?", event)
    stated = split_pair(match[0].strip("{}")) if match else None
    if None in pair:
        # A partner that only the words beside it name.
        names_both = stated is not None and all(stated) and set(pair) - {None} < set(stated)
        return stated if names_both and all(_is_gene(gene) for gene in stated) else pair
    return stated if stated is not None and stated == pair[::-1] else pair


@cache
def split_pair(text: str) -> tuple[str | None, str | None] | None:
    """The two genes of ``EML4::ALK``, ``EML4--ALK``, ``EML4-ALK fusion``, ``NKX2-1-ALK``; (gene, None) where a known
    gene stands alone (``EWSR1 rearrangement``); None where there are none.

    A hyphen may belong to a gene's name, so a split into two known genes is preferred."""
    if (event := chromosome_event(text.strip())) and event.fusion:
        return event.fusion
    text = _NOISE.sub("", text.strip().strip("\"'")).strip(" -,;")
    parts = [part for part in _SEPARATORS.split(text) if part]
    if len(parts) == 2:
        five, three = (fusion_gene(part) for part in parts)
        return (five or None, three or None) if five or three else None
    if len(parts) != 1:
        return None
    places = list(_HYPHENS.finditer(text))
    halves = [(text[: place.start()], text[place.end() :]) for place in places]
    for five, three in halves:
        if five and three and _is_gene(five) and _is_gene(three):
            return fusion_gene(five), fusion_gene(three)
    if _is_gene(text):
        return fusion_gene(text), None
    for one, other in halves:
        if _is_gene(one) and (word := other.lower().strip(" -()")) in _NO_PARTNER | _WITHIN_ONE:
            return fusion_gene(one), fusion_gene(one) if word in _WITHIN_ONE else None
    if len(halves) == 1 and all(re.fullmatch(r"[A-Za-z][\w.@]+", half) for half in halves[0]):
        return fusion_gene(halves[0][0]), fusion_gene(halves[0][1])
    return None
