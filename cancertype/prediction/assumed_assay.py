"""The assay that each case of an input was seen through: as the user says, else as its file shows it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.combine import samples_of
from ..assays import assay as assays
from ..assays import recognition
from ..assays.assay import EXOME, Assay
from ..assays.recognition import OVERRULE, Recognised
from ..features import restrict_to_panel
from ..sources.report_readings import NEGATED, NOT_CODING, PROMOTER_CHANGE
from ..sources.report_words import BENIGN, GERMLINE, UNCERTAIN
from ..tables.columns import with_column
from ..tables.delimited import MISSING, TEXT
from ..tables.layout import plain
from ..variants.cases import NOTHING, Dropped, RowAccount, SourceTables
from ..variants.schema import SILENT
from .forms import FREE_TEXT, TEXTS

if TYPE_CHECKING:
    from .inputs import Input

_PANEL_COLUMNS = ("seqassayid", "genepanel", "genepanelid")
"""Columns in which a file of mutations names each sample's panel (GENIE, cBioPortal), without capitals and
punctuation."""

_STATED = "as the user states"
_OUTSIDE = "in no gene of the assay"
_OF_MUTATIONS = {NEGATED, PROMOTER_CHANGE, NOT_CODING, GERMLINE, BENIGN, UNCERTAIN, SILENT}
"""Why ``free_text`` leaves out statements that speak of mutations all the same ("KRAS wild type")."""


def chosen(name_or_file: str) -> Recognised:
    """The assay that the user names. Raises ``InputError`` where it is neither known nor a file of genes."""
    return Recognised(assays.named_or_file(name_or_file), _STATED, True)


def assumed(read_input: "Input", stated: Recognised | None) -> "Input":
    """The same with each case's assay: ``stated`` by the user, else recognised.

    The cases' column ``panel`` then names it (null for an exome), and ``panels`` lists its genes. With an assay that
    the user states, variants outside its genes are left out and counted. Cases of which nothing but copy number or
    fusions is known keep ``NOTHING``: an assay says nothing of mutations that nobody looked for."""
    is_text = read_input.form in (FREE_TEXT, TEXTS) or read_input.path is None
    tables = _with_nothing(read_input.tables) if is_text else _with_named_panels(read_input)
    if stated is None:
        found = recognition.resolved(tables, is_text)
        return replace(read_input, tables=found.tables, assays=found.of_cases)
    tables = _through(tables, stated.assay, read_input.form)
    nothing = recognition.not_looked_at()
    panels = zip(*(tables.cases[name].to_pylist() for name in ("case_id", "panel")), strict=True)
    own = {case: nothing if panel == NOTHING else stated for case, panel in panels}
    return replace(read_input, tables=tables, assays=own)


def _with_named_panels(read_input: "Input") -> SourceTables:
    """The tables with the panel that a column of the file names for each sample, where there is one."""
    tables, file = read_input.tables, read_input.file
    if file is None or read_input.layout is None:
        return tables
    column = next((name for name in file.names if plain(name) in _PANEL_COLUMNS), None)
    sample = read_input.layout.present(file.names).get("sample", ())
    if column is None or not sample:
        return tables
    rows = file.read({sample[0]: TEXT, column: TEXT}).group_by([sample[0], column]).aggregate([])
    stated: dict[str, str] = {}
    for name, panel in zip(rows[sample[0]].to_pylist(), rows[column].to_pylist(), strict=True):
        if panel.strip() not in MISSING:
            stated.setdefault(name.strip(), panel.strip())
    own = [stated.get(name) for name in tables.cases["case_id"].to_pylist()]
    return replace(tables, cases=with_column(tables.cases, "panel", pa.array(own, pa.string())))


def _with_nothing(tables: SourceTables) -> SourceTables:
    """Text that states copy number or fusions of a sample and no word about its mutations did not look at them."""
    if tables.alterations is None:
        return tables
    spoken_of = set(pc.cast(tables.variants["case_id"], pa.string()).unique().to_pylist())
    spoken_of |= {each["sample"] for each in tables.notes.get("statements", ()) if _OF_MUTATIONS & set(each["meaning"])}
    alone = set(samples_of(tables.alterations)) - spoken_of
    names = tables.cases["case_id"].to_pylist()
    own = [
        NOTHING if name in alone else panel
        for name, panel in zip(names, tables.cases["panel"].to_pylist(), strict=True)
    ]
    panels = tables.panels | ({NOTHING: []} if alone else {})
    return replace(tables, cases=with_column(tables.cases, "panel", pa.array(own, pa.string())), panels=panels)


def _through(tables: SourceTables, assay: Assay, source: str) -> SourceTables:
    """The tables as ``assay`` shows them."""
    called = None if assay.name == EXOME else assay.name
    own = [NOTHING if panel == NOTHING else called for panel in tables.cases["panel"].to_pylist()]
    cases = with_column(tables.cases, "panel", pa.array(own, pa.string()))
    panels = {NOTHING: []} if NOTHING in own else {}
    if assay.genes is None:
        return replace(tables, cases=cases, panels=panels)
    rows = restrict_to_panel(tables.variants, assay.genes)
    outside = tables.variants.num_rows - rows.num_rows
    dropped = [*tables.dropped, *([Dropped(source, "variant", _OUTSIDE, outside)] if outside else [])]
    account = tables.account and _left_out(tables.account, outside)
    panels |= {assay.name: list(assay.genes)}
    return replace(tables, cases=cases, variants=rows, panels=panels, dropped=dropped, account=account)


def _left_out(account: RowAccount, n: int) -> RowAccount:
    """The account with ``n`` rows that had been used left out after all."""
    n = min(n, account.used)
    left_out = account.left_out | ({_OUTSIDE: n} if n else {})
    return replace(account, used=account.used - n, left_out=left_out)


def in_json(found: Mapping[str, Recognised]) -> list[dict]:
    """The assays that were assumed, the commonest first: name, reason, certain, and the number of samples."""
    number = Counter((each.assay.name, each.reason, each.certain) for each in found.values())
    fields = ("name", "reason", "certain")
    return [dict(zip(fields, key, strict=True)) | {"samples": n} for key, n in number.most_common()]


def in_words(found: Mapping[str, Recognised]) -> str:
    """Which assays were assumed, why, and how to overrule it; the commonest first."""
    groups = in_json(found)
    counted = [f"{group['samples']:,} of {len(found):,} samples: " if len(groups) > 1 else "" for group in groups]
    return ". ".join(before + _sentence(group) for before, group in zip(counted, groups, strict=True))


def _sentence(group: Mapping) -> str:
    name, reason = group["name"], group["reason"]
    if name == NOTHING:
        return reason
    more = "" if OVERRULE in reason or reason == _STATED else f"; {OVERRULE}"
    return f"{name}{'' if group['certain'] else ' (uncertain)'}: {reason}{more}"
