"""Which of a case's variants are worth naming, and in which order."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.columns import codes, compacted, positions, row_positions
from .lookup import case_rows, mutation_names
from .vocabulary import Vocabulary

_TEXTS = ("gene", "protein_change", "consequence")


def informative_variants(cases: pa.Table, variants: pa.Table, vocabulary: Vocabulary) -> pa.Table:
    """The variants whose gene or protein change is in the vocabulary, most informative first within each case.

    Columns: case_id, gene, protein_change, consequence, recurrent (bool: the protein change is in the vocabulary) and
    telling (bits, the larger of the gene's and the change's ``Vocabulary.evidence``). One row per case, gene and
    protein change; cases in the order of ``cases``."""
    rows = case_rows(cases, variants)
    of_gene, of_change = _evidence_of_genes(variants, vocabulary), _evidence_of_changes(variants, rows, vocabulary)
    bits = np.maximum(of_gene, of_change)
    kept = np.flatnonzero((rows >= 0) & (bits >= 0))
    texts = compacted(variants.select(_TEXTS).take(pa.array(kept)))
    order = _most_informative_first(rows[kept], texts, bits[kept])
    kept, texts = kept[order], texts.take(pa.array(order))
    case_ids = np.array(cases["case_id"].to_pylist(), dtype=object)[rows[kept]]
    return pa.table(
        {
            "case_id": pa.array(case_ids, pa.string()),
            **{name: pc.cast(texts[name], pa.string()) for name in _TEXTS},
            "recurrent": pa.array(of_change[kept] >= 0),
            "telling": pa.array(bits[kept]),
        }
    )


def _evidence_of_genes(variants: pa.Table, vocabulary: Vocabulary) -> np.ndarray:
    """Bits of each variant's gene, -1 where it is not in the vocabulary."""
    bits = vocabulary.evidence("gene")
    return _bits_at(row_positions(variants["gene"], list(bits)), bits)


def _evidence_of_changes(variants: pa.Table, rows: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Bits of each variant's protein change, -1 where it is not in the vocabulary."""
    bits = vocabulary.evidence("change")
    of_change = np.full(len(rows), -1.0)
    # Joining gene and change is costly, so only variants whose change occurs in the vocabulary at all are joined.
    changes = sorted({name.split(" ", 1)[1] for name in bits})
    candidates = np.flatnonzero((rows >= 0) & (row_positions(variants["protein_change"], changes) >= 0))
    names = mutation_names(variants.take(pa.array(candidates)))
    of_change[candidates] = _bits_at(positions(names, list(bits)), bits)
    return of_change


def _bits_at(places: np.ndarray, bits: Mapping[str, float]) -> np.ndarray:
    """The bits at each place in ``bits``, -1 for the place -1."""
    return np.append(np.fromiter(bits.values(), float, len(bits)), -1.0)[places]


def _most_informative_first(rows: np.ndarray, texts: pa.Table, bits: np.ndarray) -> np.ndarray:
    """The order by case, bits, gene and change, with each mutation of a case once."""
    genes, gene_names = codes(texts["gene"])
    changes, change_names = codes(texts["protein_change"])
    order = np.lexsort((_ranks(change_names)[changes], _ranks(gene_names)[genes], -bits, rows))
    columns = [column[order] for column in (rows, genes, changes)]
    repeated = np.logical_and.reduce([np.diff(column, prepend=-1) == 0 for column in columns])
    return order[~repeated]


def _ranks(names: list[str]) -> np.ndarray:
    """The rank of each name in alphabetical order."""
    return np.argsort(np.argsort(np.array(names, dtype=object)))
