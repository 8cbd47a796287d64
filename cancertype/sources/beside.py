"""What lies beside the mutations in a source's folder: copy number, fusions and spectra."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..alterations.combine import merge, without_cases
from ..alterations.schema import Alterations
from ..tables.accounts import Dropped, RowAccount
from ..variants.cases import NOTHING, SourceTables
from . import copy_number, folder_files, fusions, spectra
from .alteration_file import AlterationFile

_TCGA_PATIENT = 12


@dataclass(frozen=True)
class Beside:
    """``alterations`` (None where no file states any) by the files' sample names, ``spectra`` (the same), what was
    ``dropped``, and ``notes``: each file with how it was read and the account of its rows."""

    alterations: Alterations | None = None
    spectra: pa.Table | None = None
    dropped: list[Dropped] = field(default_factory=list)
    notes: dict[str, dict] = field(default_factory=dict)


def read(files: Mapping[str, Sequence[Path]], source: str, more_genes: Sequence[Path] = ()) -> Beside:
    """Read the copy number, fusions and spectra among ``files`` (``folder_files.sorted_files``); ``more_genes`` are
    gene matrices that their headers do not show to be any.

    The arms of a sample are those of a table of arms where there is one, also where it has no call; else they follow
    from its genes or segments. Raises ``InputError`` as the readers do."""
    parts: list[Alterations] = []
    read_files: dict[Path, AlterationFile] = {}
    for kind in folder_files.COPY_NUMBER:
        for path in [*files.get(kind, ()), *(more_genes if kind == folder_files.GENES else ())]:
            read_files[path] = copy_number.read(path)
            known = {name for part in parts for name in pc.unique(part.arms["case_id"]).to_pylist()}
            parts.append(without_cases(read_files[path].alterations, known, ["arms"]))
    screened = frozenset().union(
        *(fusions.screened_samples(path) for path in files.get(folder_files.SCREENED, ())),
    )
    for path in files.get(folder_files.FUSIONS, ()):
        read_files[path] = fusions.read(path)
        parts.append(read_files[path].alterations)
    if screened:
        parts.append(Alterations(screened_for_fusions=screened))
    counted = spectra.read(files[folder_files.SPECTRA], source=source) if files.get(folder_files.SPECTRA) else None
    dropped = [replace(each, source=source) for found in read_files.values() for each in found.dropped]
    if counted:
        # The reader names the kind of spectrum behind the source.
        dropped += [
            replace(each, source=source, reason=f"{each.source.removeprefix(source).strip()}: {each.reason}")
            for each in counted.dropped
        ]
    return Beside(
        _by_sample(merge(*parts)) if parts else None,
        counted.table if counted else None,
        dropped,
        {path.name: _described(found) for path, found in sorted(read_files.items())},
    )


def _described(found: AlterationFile) -> dict:
    account: RowAccount = found.account
    return found.notes | {"unit": account.unit, "total": account.total, "used": account.used}


def _by_sample(alterations: Alterations) -> Alterations:
    """With the TCGA patients that were screened for fusions under the names of their samples, where the fusions have
    such names: otherwise patient and sample would stand for two searches of which one found nothing."""
    samples: dict[str, list[str]] = defaultdict(list)
    for name in pc.unique(alterations.fusions["case_id"]).to_pylist():
        if name.startswith("TCGA-") and len(name) > _TCGA_PATIENT:
            samples[name[:_TCGA_PATIENT]].append(name)
    screened = frozenset(
        own for name in alterations.screened_for_fusions for own in samples.get(name, [name] if name else [])
    )
    return replace(alterations, screened_for_fusions=screened)


def samples_of(alterations: Alterations | None) -> list[str]:
    """The samples of which an arm, a gene or a fusion is stated, sorted."""
    if alterations is None:
        return []
    tables = (alterations.arms, alterations.genes, alterations.fusions)
    return sorted({name for table in tables for name in pc.unique(table["case_id"]).to_pylist()})


def with_silent_cases(
    tables: Sequence[SourceTables], cases_of: Callable[[Sequence[str], set[str], str], pa.Table], source: str
) -> list[SourceTables]:
    """``tables`` of all folders of ``source`` with the cases of which alterations alone are known, each in the first
    folder that tells of it. ``cases_of(samples, seen, source)`` makes the cases of those samples that no folder has
    mutations of (``seen``)."""
    seen = {name for table in tables for name in table.cases["case_id"].to_pylist()}
    done = []
    for table in tables:
        silent = cases_of(samples_of(table.alterations), seen, source)
        seen |= set(silent["case_id"].to_pylist())
        if silent.num_rows:
            cases = pa.concat_tables([table.cases, silent])
            table = replace(table, cases=cases, panels=table.panels | {NOTHING: []})
        done.append(table)
    return done
