"""The one canonical variant: its schema and the classes that it falls into."""

import pyarrow as pa

TEXT = pa.dictionary(pa.int32(), pa.string())
"""Text columns are dictionary-encoded: a few bytes a row instead of the text."""

SCHEMA = pa.schema(
    [
        ("case_id", TEXT),
        ("gene", TEXT),
        ("protein_change", TEXT),
        ("codon", pa.int32()),
        ("consequence", TEXT),
        ("substitution", TEXT),
        ("dna", TEXT),
        ("context", TEXT),
    ]
)
"""One row a case and non-silent coding variant. ``protein_change`` is canonical ("" when none is given), ``codon``
its first residue, ``consequence`` one of ``CONSEQUENCES``, ``substitution`` one of ``SUBSTITUTIONS`` (null unless a
single base is replaced), ``dna`` one of ``DNA_EVENTS``, ``context`` one of ``TRINUCLEOTIDES`` (null where the source
tells no neighbours)."""

CONSEQUENCES = ("missense", "nonsense", "frameshift", "splice", "inframe", "start_lost", "stop_lost")
TRUNCATING = ("nonsense", "frameshift", "splice", "start_lost")
"""Consequences that leave no full-length protein."""

SUBSTITUTIONS = ("C>A", "C>G", "C>T", "T>A", "T>C", "T>G")
"""Base substitutions on the strand where the replaced base is a pyrimidine."""

DNA_EVENTS = ("snv", "doublet", "insertion", "deletion", "unknown")
"""``doublet`` is any equal-length replacement of two or more neighbouring bases."""

TRINUCLEOTIDES = tuple(
    f"{five}[{exchange}]{three}" for exchange in SUBSTITUTIONS for five in "ACGT" for three in "ACGT"
)
"""The 96 substitutions with both neighbouring bases, in COSMIC's names and order within a substitution."""

SILENT, NON_CODING = "silent", "non-coding"
"""What sources also list and the canonical table never holds: studies differ in listing them."""
