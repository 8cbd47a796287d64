"""The fields of a VCF's INFO, and the population frequencies among them."""

import re
from collections.abc import Mapping
from functools import lru_cache

ANNOVAR = "ANNOVAR_DATE"
"""The key that begins what table_annovar.pl writes on an allele; ALLELE_END ends it."""


def info_fields(text: str) -> dict[str, str]:
    """Key to value ("" for a flag) of INFO. ANNOVAR repeats its keys for every allele: its blocks are kept apart,
    joined by tabs under ``ANNOVAR``."""
    if f"{ANNOVAR}=" in text and "ALLELE_END" in text:
        before, *blocks = text.split(f"{ANNOVAR}=")
        rest = blocks[-1].partition("ALLELE_END")[2]
        fields = info_fields(f"{before.strip(';')};{rest.strip(';')}")
        return fields | {ANNOVAR: "\t".join(block.partition(";ALLELE_END")[0] for block in blocks)}
    fields = {}
    for part in text.split(";"):
        key, _, value = part.partition("=")
        fields[key] = value
    return fields


_STUDIES = re.compile(r"(?:^|_)(?:non_)?(?:gnomad|exac|topmed|1000g|1000gp|kg|kgenomes|tgp|esp)")
_FREQUENCY_ENDS = {
    "af", "maf", "popmax", "grpmax", "all", "afr", "amr", "asj", "eas", "fin", "nfe", "oth", "sas", "ami", "mid", "rmi",
    "eur", "asn", "aa", "ea", "remaining",
}  # fmt: skip
_COUNTS = {"ac", "an", "hom", "het", "hemi", "nhomalt", "count", "filter", "faf95", "faf99", "flag"}
_LONGEST_NAME = 100
_OF_VEP = re.compile(r"(?:(?:afr|amr|asn|eas|eur|sas|aa|ea|max)_)?m?af|gmaf")


@lru_cache(1 << 12)
def is_population_frequency(name: str, among_annotations: bool = False) -> bool:
    """Whether a field holds an allele's frequency in the population, by the names of VEP, SnpSift, vcfanno, ANNOVAR and
    Funcotator (gnomAD_AF, gnomADe_NFE_AF, MAX_AF, AF_popmax, gnomAD_exome_ALL, 1000g2015aug_all, dbNSFP_ExAC_AF ...).

    ``among_annotations``: in VEP's own fields AF and EUR_AF are those of 1000 Genomes. In INFO itself, AF is the
    caller's.
    """
    if len(name) > _LONGEST_NAME:
        return False
    text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    parts = text.split("_")
    if not _COUNTS.isdisjoint(parts):
        return False
    if text == "max_af" or ("af" in parts and not {"popmax", "grpmax"}.isdisjoint(parts)):
        return True
    if among_annotations and _OF_VEP.fullmatch(text):
        return True
    is_frequency = parts[-1] in _FREQUENCY_ENDS or "af" in parts or re.fullmatch("gnomad[a-z0-9]*af", parts[-1])
    return bool(is_frequency and _STUDIES.search(text))


def highest_frequency(text: str) -> float:
    """The highest number among those that ``&``, ``,`` or ``|`` separate; 0 where there is none between 0 and 1."""
    highest = 0.0
    for part in re.split("[&,|]", text) if text else ():
        try:
            value = float(part)
        except ValueError:
            continue
        if highest < value <= 1.0:
            highest = value
    return highest


def info_frequency(info: Mapping[str, str], i: int, n: int) -> float:
    """The highest population frequency of the ``i``-th of ``n`` alleles among INFO's own fields."""
    highest = 0.0
    for key, value in info.items():
        if value and is_population_frequency(key):
            highest = max(highest, highest_frequency(_of_place(value, i, n)))
    for key, is_logarithm in (("POPAF", True), ("POP_AF", False)):
        if value := info.get(key):  # Mutect2's, from the germline resource: 10 to the minus POPAF.
            stated = _of_place(value, i, n)
            highest = max(highest, _from_logarithm(stated) if is_logarithm else highest_frequency(stated))
    return highest


def _of_place(value: str, i: int, n: int) -> str:
    values = value.split(",")
    return values[i] if len(values) == n else value


def _from_logarithm(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return 10.0**-value if 0.0 <= value < 300.0 else 0.0
