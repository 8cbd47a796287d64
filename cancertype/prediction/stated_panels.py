"""Files that state the gene panel of samples whose mutations another file gives: cBioPortal's gene-panel matrix
(data_gene_panel_matrix.txt) and a clinical sample table with GENIE's SEQ_ASSAY_ID."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from ..assays.assay import EXOME, known
from ..sources import free_text
from ..sources.cbioportal_samples import EXOMES
from ..sources.cbioportal_samples import plain as plain_panel
from ..tables.columns import with_column
from ..tables.delimited import MISSING, TEXT, DelimitedFile
from ..tables.layout import plain
from ..variants.cases import Dropped, SourceTables

_SAMPLE = ("sampleid",)
_MATRIX, _CLINICAL = ("mutations", "mutationsextended"), ("seqassayid",)
_NO_MUTATION = "its panel is stated, but no file has a mutation of it"
_EXAMPLES = 5
_LOOKED_AT = 200


def are_stated_in(file: DelimitedFile) -> bool:
    """Whether a table states the panels of samples and nothing of their mutations.

    A list of texts may have the same columns as the matrix, so its first panels must be words that name no gene."""
    columns = _columns(file)
    if columns is None or any("hugo" in plain(name) or plain(name) == "gene" for name in file.names):
        return False
    if plain(columns[1]) in _CLINICAL:
        return True
    panels = dict.fromkeys(list(_stated(file, *columns).values())[:_LOOKED_AT])
    return bool(panels) and all(known(panel) or _is_a_name(panel) for panel in panels)


def of_samples(file: DelimitedFile) -> dict[str, str]:
    """Sample to its panel, of such a table; no entry where the table states none."""
    return _stated(file, *_columns(file))


def applied(tables: SourceTables, panels: Mapping[str, str]) -> SourceTables:
    """``tables`` whose cases have the ``panels`` stated for them (sample to panel)."""
    names, own = (tables.cases[column].to_pylist() for column in ("case_id", "panel"))
    stated = [_assay(panels[name]) if name in panels else before for name, before in zip(names, own, strict=True)]
    return replace(tables, cases=with_column(tables.cases, "panel", pa.array(stated, pa.string())))


def without_mutations(panels: Mapping[str, str], cases: Sequence[str]) -> list[Dropped]:
    """The samples of ``panels`` that are none of the ``cases``."""
    there = set(cases)
    missing = [name for name in panels if name not in there]
    return [Dropped("gene panels", "sample", _NO_MUTATION, len(missing), missing[:_EXAMPLES])] if missing else []


def _columns(file: DelimitedFile) -> tuple[str, str] | None:
    """The columns of the samples and of their panels; None where the table has not both."""
    sample = next((name for name in file.names if plain(name) in _SAMPLE), None)
    panel = next((name for each in (_MATRIX, _CLINICAL) for name in file.names if plain(name) in each), None)
    return (sample, panel) if sample and panel else None


def _stated(file: DelimitedFile, sample: str, panel: str) -> dict[str, str]:
    rows = file.read({sample: TEXT, panel: TEXT})
    each = zip(rows[sample].to_pylist(), rows[panel].to_pylist(), strict=True)
    return {name.strip(): value.strip() for name, value in each if value.strip() not in MISSING}


def _assay(panel: str) -> str:
    return EXOME if plain_panel(panel) in EXOMES else panel


def _is_a_name(panel: str) -> bool:
    return len(panel.split()) == 1 and "," not in panel and not free_text.read([panel])[0].variants.num_rows
