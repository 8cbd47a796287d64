"""Which samples of a VCF are tumours and which are matched normals.

The user's word counts first, then what the header declares, then the samples' names.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..errors import InputError
from .vcf_header import FIRST_SAMPLE, Header


@dataclass(frozen=True)
class Samples:
    """``tumours``: each case and the column of its sample (None where the file lists sites without samples).
    ``normals``: the names of the matched normals. ``matched``: the columns of each tumour's normals."""

    tumours: dict[str, int | None]
    normals: tuple[str, ...] = ()
    matched: dict[str, tuple[int, ...]] = field(default_factory=dict)


def assign(header: Header, tumor: str | None = None, normal: str | None = None) -> Samples:
    """Separate the tumours of a VCF from the matched normals.

    ``tumor`` and ``normal`` are what the user says, and overrule the rest. In a file with two samples, naming one is
    enough. Otherwise the header's declarations count, then the names. A file without samples is one case, named after
    the file.

    Raises ``InputError`` for a name that no sample has, and where every sample is a matched normal.
    """
    names = header.samples
    _check_options(header, tumor, normal)
    if not names:
        name = header.path.name.lower().removesuffix(".gz").removesuffix(".bgz").removesuffix(".vcf")
        return Samples({name or header.path.name: None})
    declared_tumours, pairs, declared_normals = _declared(header)
    normals = _normals(names, declared_tumours, declared_normals)
    if tumor is not None:
        normals -= {tumor}
        others = [name for name in names if name != tumor]
        if normal is None and len(others) == 1 and not _is_named_tumour(others[0]):
            normals.add(others[0])
    if normal is not None:
        rest = [name for name in names if name != normal]
        normals = {normal} if tumor is not None or set(rest) <= normals else normals | {normal}
    tumours = [tumor] if tumor is not None else [name for name in names if name not in normals]
    if not tumours:
        raise InputError(
            f"{header.path}: line {header.number}: every sample is a matched normal ({_listed(names)}): add the "
            "tumour, or say which sample is the tumour with --tumor NAME"
        )
    columns = {name: FIRST_SAMPLE + i for i, name in enumerate(names)}
    in_order = [name for name in names if name in normals]
    matched = _matched(tumours, in_order, pairs)
    return Samples(
        {name: columns[name] for name in tumours},
        tuple(in_order),
        {name: tuple(columns[other] for other in matched[name]) for name in tumours},
    )


def _check_options(header: Header, tumor: str | None, normal: str | None) -> None:
    for option, name in (("--tumor", tumor), ("--normal", normal)):
        if name is not None and name not in header.samples:
            there = f"the samples are {_listed(header.samples)}" if header.samples else "the file names no samples"
            raise InputError(f"{header.path}: line {header.number}: {option} {name}: no such sample: {there}")
    if tumor is not None and tumor == normal:
        raise InputError(f"{header.path}: --tumor and --normal both name {tumor}: name two samples")


def _listed(names: Sequence[str], n: int = 8) -> str:
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


# --- What the header declares ---

_COMMAND_NAMES = {
    role: re.compile(rf"\b{role}(?:[-_]sample(?:[-_]name)?|[-_]?name|[-_]?id)[=\s]+[\"']?([^\s\"',;>]+)", re.IGNORECASE)
    for role in ("normal", "tumou?r")
}
_COMMAND_FILES = {
    role: re.compile(
        rf"(?:{role}[-_]?(?:bams?|crams?|reads|input|bam[-_]input)[=\s]+|\s-{role}\s+)[\"']?([^\s\"',;>]+)",
        re.IGNORECASE,
    )
    for role in _COMMAND_NAMES
}
"""``--normalBam x/N.bam``, and GATK's short option ``-normal N``."""
_ROLE_AND_SAMPLE = re.compile(r"\b(normal|germline|control|tumou?r)\s*[:=]\s*([^\s,;>]+)", re.IGNORECASE)
_NORMAL_WORDS = re.compile(r"\b(normal|germline|control|blood|constitutional|healthy|unaffected)\b", re.IGNORECASE)
_TUMOUR_WORDS = re.compile(
    r"tumou?r|cancer|mutant|somatic|metasta|carcinoma|leuk|lymphoma|melanoma|glioma|sarcoma|neoplas", re.IGNORECASE
)
_ROLES = ("Description", "Type", "SampleType", "Sample_Type", "Class", "Role", "Status", "Genomes", "Tissue", "Disease")


def _declared(header: Header) -> tuple[set[str], dict[str, set[str]], set[str]]:
    """The tumours that the header declares, the declared normals of each, and all declared normals."""
    tumours: set[str] = set()
    normals: set[str] = set()
    pairs: dict[str, set[str]] = defaultdict(set)
    for derived, originals in _pedigree(header):
        for original in originals:
            pairs[derived].add(original)
    tumours |= set(pairs)
    # What a relapse derives from is a tumour too: one that derives from something itself, or is named as a tumour.
    normals |= {
        name for origins in pairs.values() for name in origins if name not in pairs and not _is_named_tumour(name)
    }
    for sample, is_normal in _sample_lines(header):
        (normals if is_normal else tumours).add(sample)
    told = {}
    for role, pattern in _COMMAND_NAMES.items():
        stated = set(header.values("normal_sample" if role == "normal" else "tumor_sample"))
        for line in header.meta:
            if re.match(r"##(?:mutect|source)|##[^=]*(?:command|cmd)", line, re.IGNORECASE):
                stated.update(pattern.findall(line))
                stated.update(Path(name).name.partition(".")[0] for name in _COMMAND_FILES[role].findall(line))
        (normals if role == "normal" else tumours).update(stated)
        told[role] = stated
    for value in header.values("inputs"):
        for role, sample in _ROLE_AND_SAMPLE.findall(value):
            (tumours if role.lower().startswith("tum") else normals).add(sample)
    known = set(header.samples)
    tumours, normals = tumours & known, normals & known
    if len(header.samples) == 2 and len(told["tumou?r"] & known) == 1 and not normals:
        # A caller that was told one of two samples is the tumour had the other as its normal.
        normals = {name for name in known - tumours if not _is_named_tumour(name)}
    return tumours - normals, {name: _origins(name, pairs) & normals for name in pairs}, normals


def _origins(name: str, pairs: Mapping[str, set[str]]) -> set[str]:
    """All that ``name`` derives from: a relapse from its primary, and that from the germline."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = pairs.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _pedigree(header: Header) -> Iterable[tuple[str, list[str]]]:
    """Each genome and those that it derives from: ``<Derived=T,Original=N>``, ``<ID=T,Original=N>``,
    ``<Name_0=T,Name_1=N>`` (VCF 4.1 to 4.5), and the parents of a child."""
    for pairs in header.structured("PEDIGREE"):
        by_key = {name.lower(): value for name, value in pairs.items()}
        derived = by_key.get("derived") or by_key.get("id") or by_key.get("name_0") or by_key.get("child")
        originals = [
            value
            for name, value in by_key.items()
            if value and (name.startswith(("original", "name_")) or name in ("mother", "father")) and name != "name_0"
        ]
        if derived and originals:
            yield derived, originals


def _sample_lines(header: Header) -> Iterable[tuple[str, bool]]:
    """The samples of which a line ``##SAMPLE=<ID=...>`` says that they are normal (True) or a tumour (False)."""
    known = set(header.samples)
    for pairs in header.structured("SAMPLE"):
        sample = pairs.get("ID", "")
        names = [sample, *(pairs[key] for key in ("SampleName", "NAME", "Name", "SampleTCGABarcode") if key in pairs)]
        said = " ".join(pairs.get(role, "") for role in _ROLES).replace("_", " ")
        healthy = pairs.get("Disease", "x").lower() in ("none", "no", "normal", "healthy")
        ill = not healthy and pairs.get("Disease", "").strip(". ") != ""
        roles = [name for name in names if name not in known or name != sample]
        if ill or _TUMOUR_WORDS.search(said) or any(_is_named_tumour(name) for name in roles):
            verdict = False
        elif healthy or _NORMAL_WORDS.search(said) or any(_is_named_normal(name) for name in roles):
            verdict = True
        else:
            continue
        yield from ((name, verdict) for name in names if name in known)


# --- What the names say ---

_BARCODE = re.compile(r"(?:TCGA|TARGET)[-._]\w{2}[-._]\w{4,6}[-._](\d\d)", re.IGNORECASE)
"""A barcode of TCGA or TARGET: the sample type of a tumour is below 10, of normal tissue between 10 and 19."""
_NORMAL_WORD = re.compile(
    r"(?<!ab)(?<!no)(?<!no[-_. ])normals?(?!i[sz])(?![-_. ]?(?:karyotype|like))|germ[-_ ]?line|constitutional"
    r"|non[-_. ]?(?:tumou?r|malignant|neoplastic|cancer)(?:al|ous)?",
    re.IGNORECASE,
)
_WEAK_NORMAL_WORD = re.compile(
    r"blood|pbmc|pbl(?![a-z])|buffy|leu[ck]ocyte|lymphocyte|saliva|buccal|fibroblast|controls?(?![a-z])|ctrl"
    r"|reference|healthy|adjacent|(?<![a-z])wbc(?![a-z])|(?<![a-z])nat(?![a-z])|(?<![a-z])pon(?![a-z])|remission"
    r"|unaffected|gdna(?![a-z])|^none$|(?<![a-z])(?:wb|host|constit|germ(?![-_ ]?cell)|swab|hair|nails?|cd3"
    r"|t[-_]?cells?|mononuclear)(?![a-z])",
    re.IGNORECASE,
)
"""Words that name a normal beside another sample. A leukaemia's blood, alone in a file, is the tumour."""
_TUMOUR_WORD = re.compile(
    r"tumou?r|tumou?ral|(?<![a-z])tum(?![a-z])|cancer|primary|metasta|(?<![a-z])mets?(?![a-z])|relapse|recurren"
    r"|somatic|diagnosis|carcinoma|melanoma|glioma|(?<![a-z])ca(?![a-z])|xenograft|(?<![a-z])pdx|organoid|biopsy",
    re.IGNORECASE,
)
_LANE = re.compile(
    r"[-_.](?:s\d+|l\d{1,3}(?:[-_.]\d{3})?|r[12]|lane\d+|bam|cram|sorted|dedup[a-z]*|markdup[a-z]*|mkdp|recal[a-z]*"
    r"|bqsr|realigned|merged|final|wes|wgs|wxs|exome|genome|dna|hg\d\d|grch\d\d|md|rg)$",
    re.IGNORECASE,
)
_LONGEST_LANE = 20
_NEAR_AN_END = 5
_PIECE = re.compile(r"[A-Za-z]+|\d+")
_NORMAL_MARKS = {"n", "nl", "nb", "nt", "nbc", "nbm", "bl", "gl", "pbl", "wbc", "ref", "norm"}
_NORMAL_MARKS_BESIDE_T = {"b", "r", "g", "c"}
_TUMOUR_MARKS = {"t", "tu", "tum", "tp", "tr", "tm", "tb", "p", "m", "met", "ca", "d"}


def _is_named_tumour(name: str) -> bool:
    barcode = _BARCODE.match(name)
    if barcode:
        return barcode[1] < "10"
    words = _words(name)
    return words == "tumour"


def _is_named_normal(name: str) -> bool:
    barcode = _BARCODE.match(name)
    return "10" <= barcode[1] < "20" if barcode else _words(name) == "normal"


@lru_cache(1 << 16)
def _words(name: str) -> str:
    """ "tumour", "normal" or "weak" (a word that names a normal beside another sample), or "" for neither.

    The last word decides: TUMOR_NORMAL is the tumour's normal. ``a_tumor_vs_a_normal`` is the tumour.
    """
    normal = max((match.end() for match in _NORMAL_WORD.finditer(name)), default=0)
    tumour = max((match.end() for match in _TUMOUR_WORD.finditer(name)), default=0)
    if normal and tumour and re.search(r"(?<![a-z])vs?(?![a-z])|versus", name, re.IGNORECASE):
        return "tumour" if tumour < normal else "normal"
    if normal or tumour:
        return "normal" if normal >= tumour else "tumour"  # "non-tumour" ends with both
    return "weak" if _WEAK_NORMAL_WORD.search(name) else ""


def _normals(names: Sequence[str], declared_tumours: set[str], declared_normals: set[str]) -> set[str]:
    """The matched normals among the samples: the declared, then those named so, then those with a letter for it."""
    normals = set(declared_normals)
    open_ = [name for name in names if name not in normals and name not in declared_tumours]
    normals |= {name for name in open_ if _is_named_normal(name)}
    weak = {name for name in open_ if name not in normals and _words(name) == "weak"}
    if set(names) - normals - weak:
        normals |= weak
    return normals | (_marked(names, normals) - declared_tumours)


def _marked(names: Sequence[str], normals: set[str]) -> set[str]:
    """The samples that a letter marks as the normal of another one: P1-N beside P1-T or P1, COLO829BL beside COLO829,
    x-N1 beside any one other sample. A letter alone, as in a series from A to Z, marks nothing."""
    rest = [name for name in names if name not in normals and not _is_named_tumour(name)]
    others = [name for name in names if name not in normals]
    tumour_stems: dict[str, bool] = {}
    for name in others:
        for stem, mark in _stems(name, _TUMOUR_MARKS):
            tumour_stems[stem] = tumour_stems.get(stem, False) or mark == "t"
        if _is_named_tumour(name):
            tumour_stems |= dict.fromkeys(_patients(name, set()), True)
    bare = {"".join(_pieces(name)) for name in others}
    series = _series(others)
    found = set()
    for name in rest:
        for stem, mark in _stems(name, _NORMAL_MARKS | _NORMAL_MARKS_BESIDE_T):
            if stem in series:
                continue
            beside_t = tumour_stems.get(stem)
            if beside_t or (mark in _NORMAL_MARKS and (beside_t is not None or (stem and stem in bare))):
                found.add(name)
    if not found and len(others) == 2:
        found = {name for name in rest if _ends_with_n(name)}
    return found if len(found) < len(others) else set()


def _series(names: Sequence[str]) -> set[str]:
    """The names without a letter of which there are samples with letters that stand for neither tumour nor normal."""
    letters = [(stem, mark) for name in names for stem, mark in _stems(name, set("abcdefghijklmnopqrstuvwxyz"))]
    return {stem for stem, mark in letters if mark not in _NORMAL_MARKS | _NORMAL_MARKS_BESIDE_T | _TUMOUR_MARKS}


def _without_lane(name: str) -> str:
    """Without what sequencers and pipelines write behind a name, such as ``_S1_L001`` or ``.dedup.bam``."""
    while match := _LANE.search(name[-_LONGEST_LANE:]):
        name = name[: len(name) - len(match[0])]
    return name


@lru_cache(1 << 12)
def _pieces(name: str) -> list[str]:
    return [piece.lower() for piece in _PIECE.findall(_without_lane(name))]


def _stems(name: str, marks: set[str]) -> Iterable[tuple[str, str]]:
    """The name without one of the ``marks``, and without the number behind it, for every place of a mark near either
    end of the name."""
    pieces = _pieces(name)
    for i, piece in enumerate(pieces):
        if piece in marks and (i < _NEAR_AN_END or i >= len(pieces) - _NEAR_AN_END):
            yield "".join(pieces[:i] + pieces[i + 1 :]), piece
            if i + 1 < len(pieces) and pieces[i + 1].isdecimal():
                yield "".join(pieces[:i] + pieces[i + 2 :]), piece


def _ends_with_n(name: str) -> bool:
    """Whether the name is ``N``, begins with ``N_`` or ends with ``-N`` and perhaps a number."""
    name = _without_lane(name)
    return re.search(r"^n\d?(?:[-_.]|$)|[-_.\d]n\d?$", name, re.IGNORECASE) is not None


NORMAL_TISSUE = "of a matched normal, by its name"


def named_normals(names: Iterable[str], typed: bool = False) -> set[str]:
    """Those of a table's samples whose names say that they are normal: TCGA's sample types from 10, and beside another
    sample ``NORMAL``, ``P1_germline``, or P1-N beside P1-T or P1. Tables list normals rarely, so no weaker sign counts,
    but in a ``typed`` text blood beside another sample is a normal."""
    names = set(names)
    normals = {name for name in names if _BARCODE.match(name) and _is_named_normal(name)}
    others = {name for name in names if _is_named_normal(name) or not names.isdisjoint(_tumours_beside(name))}
    others |= {name for name in names if typed and _words(name) == "weak"}
    return normals | (others if others != names else set())


def _tumours_beside(name: str) -> tuple[str, ...]:
    """What the tumour whose normal has this name may be called: P1-T and P1 of P1-N."""
    match = re.fullmatch(r"(.*[A-Za-z0-9])([^A-Za-z0-9]+|(?<=\d))([Nn])(\d?)", name)
    if not match:
        return ()
    tumour = f"{match[1]}{match[2]}{'T' if match[3] == 'N' else 't'}{match[4]}"
    return (tumour, match[1]) if match[2] else (tumour,)


def named_role(name: str) -> str:
    """ "tumour" or "normal" where a sample's name says so, as ``tumour tissue`` and ``blood`` do, else ""."""
    return {"weak": "normal"}.get(_words(name), _words(name))


# --- Which normal belongs to which tumour ---


def _patients(name: str, marks: set[str]) -> set[str]:
    """What the patient may be called: the name without the words or one of the ``marks`` that say tumour or normal."""
    if _BARCODE.match(name):
        return {name[:12].lower()}
    whole = bare = _without_lane(name)
    for pattern in (_NORMAL_WORD, _TUMOUR_WORD, _WEAK_NORMAL_WORD):
        bare = pattern.sub("_", bare)
    if bare != whole:
        return {"".join(_pieces(bare))}
    return {"".join(_pieces(name)), *(stem for stem, _ in _stems(name, marks))}


def _matched(tumours: Sequence[str], normals: Sequence[str], pairs: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """The normals of each tumour: the declared ones, else those of the same patient by name, else those that belong to
    nobody, or the only one that there is."""
    of_patient: dict[str, set[str]] = defaultdict(set)
    for name in normals:
        for patient in _patients(name, _NORMAL_MARKS | _NORMAL_MARKS_BESIDE_T):
            of_patient[patient].add(name)
    matched: dict[str, set[str]] = {}
    for name in tumours:
        by_name = [of_patient[patient] for patient in _patients(name, _TUMOUR_MARKS) if patient in of_patient]
        matched[name] = pairs.get(name) or set().union(*by_name)
    taken = set().union(*matched.values())
    free = [name for name in normals if name not in taken or len(normals) == 1]
    return {name: sorted(others) or free for name, others in matched.items()}
