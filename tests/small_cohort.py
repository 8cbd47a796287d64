"""Small cases and variants tables, written as a reader would make them."""

import pyarrow as pa
import pyarrow.compute as pc

from cancertype.features import Vocabulary
from cancertype.variants.cases import CASES, SourceTables
from cancertype.variants.schema import SCHEMA


def cases_table(rows: list[dict]) -> pa.Table:
    """Cases of the schema ``CASES``; a row needs case_id and label, the rest has defaults."""
    filled = [
        {
            "patient_id": row["case_id"],
            "source": "tcga",
            "kind": "tumour",
            "scope": "in" if row["label"] else "unlabelled",
            "origin": row["label"],
            "sex": None,
            "panel": None,
        }
        | row
        for row in rows
    ]
    return pa.Table.from_pylist(filled, schema=CASES)


def variants_table(rows: list[tuple]) -> pa.Table:
    """Variants of ``variants.SCHEMA`` from (case_id, gene, protein_change, consequence, substitution) tuples."""
    filled = [
        {
            "case_id": case_id,
            "gene": gene,
            "protein_change": change,
            "codon": None,
            "consequence": consequence,
            "substitution": substitution,
            "dna": "snv" if substitution else "deletion",
            "context": None,
        }
        for case_id, gene, change, consequence, substitution in rows
    ]
    return pa.Table.from_pylist(filled, schema=pa.schema([(f.name, _plain(f.type)) for f in SCHEMA])).cast(SCHEMA)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def before_assays(vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary as releases had it before training cases were seen through assays."""
    later = ("assay", "indel", "amplified", "deleted", "fusion", "fusion_gene")
    return Vocabulary(vocabulary.table.filter(pc.invert(pc.is_in(vocabulary.table["kind"], pa.array(later)))))


def tables(cases: list[dict], variants: list[tuple], **notes) -> SourceTables:
    """What a reader returns."""
    return SourceTables(cases_table(cases), variants_table(variants), [], notes)
