"""The cost of featurize compared with reading the needed columns of the same files with pyarrow, in one run.

    python -m benchmarks.featurize                     # 1.2 million rows of DepMap, 3.6 million of 114 columns of a MAF
    python -m benchmarks.featurize --rows 0.5 1 2      # does time grow in proportion to the rows?
    python -m benchmarks.featurize --folder data/raw   # real files

Every measurement runs in its own process, so that its peak memory is its own. Seconds are of wall clock and of CPU (the
latter hardly depends on what else the machine does), and the quickest repeat counts. "raw" keeps nothing of what it
reads. "featurize" is the whole stage as ``dvc repro`` runs it, from raw files to the report.
"""

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pandas  # noqa: F401  pyarrow imports it at its first array from Python: an import is not reading.
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.assays.settings import Views
from cancertype.assays.views import recurrence
from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.features import views
from cancertype.features.settings import Features
from cancertype.simulator import simulation
from cancertype.sources import depmap, raw, tcga
from cancertype.sources.settings import ReadingLimits
from cancertype.tables import delimited
from pipeline.params import read
from stages import featurize

ROOT = Path(__file__).parents[1]
DEPMAP_ROWS, TCGA_ROWS = 1_200_000, 3_600_000
COLUMNS = {
    "tcga": (
        "Hugo_Symbol", "Chromosome", "Start_Position", "Variant_Classification", "Reference_Allele",
        "Tumor_Seq_Allele2", "Tumor_Sample_Barcode", "HGVSp_Short", "FILTER", "CONTEXT",
    ),
    "depmap": (
        "ModelID", "HugoSymbol", "Chrom", "Pos", "Ref", "Alt", "ProteinChange", "VariantInfo", "MolecularConsequence",
        "Hotspot", "GnomadeAF", "GnomadgAF", "AF", "DP",
    ),
}  # fmt: skip
READERS = {"tcga": tcga.read, "depmap": lambda folder: depmap.read(folder, ReadingLimits())}


class Laps:
    """Seconds of wall and processors from one lap to the next."""

    def __init__(self) -> None:
        self.laps: dict[str, dict[str, float]] = {}
        self._began = self._now()

    def lap(self, name: str) -> None:
        now = self._now()
        self.laps[name] = {
            kind: after - before for kind, before, after in zip(("wall", "cpu"), self._began, now, strict=True)
        }
        self._began = now

    @staticmethod
    def _now() -> tuple[float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return time.perf_counter(), used.ru_utime + used.ru_stime


def bare(folder: Path, laps: Laps) -> dict[str, int]:
    """Read the needed columns of the large files with pyarrow alone, block by block."""
    rows = dict.fromkeys(COLUMNS, 0)
    for path, _ in raw.records(folder):
        layout = path.parent.name
        for file in delimited.table_files(path):
            top = delimited.header(file)
            wanted = [name for name in COLUMNS[layout] if name in top.names]
            if len(wanted) > len(COLUMNS[layout]) // 2:
                rows[layout] += _read(file, top, wanted)
        laps.lap(f"raw {layout}")
    return {f"{layout}_rows": n for layout, n in rows.items()}


def _read(file: Path, top: delimited.Header, wanted: list[str]) -> int:
    with pa.input_stream(str(file), compression="gzip" if file.suffix == ".gz" else None) as stream:
        reader = arrow_csv.open_csv(
            stream,
            read_options=arrow_csv.ReadOptions(skip_rows=top.line - 1),
            parse_options=arrow_csv.ParseOptions(delimiter=top.delimiter, quote_char='"' if top.quoted else False),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
            ),
        )
        return sum(batch.num_rows for batch in reader)


def steps(folder: Path, laps: Laps) -> dict[str, int]:
    """The library's part of featurize, step by step."""
    with chdir(ROOT):
        rules, vocabulary, seen = read({"cohort": Cohort, "features": Features, "views": Views})
    laps.lap("start")
    tables = []
    for path, _ in raw.records(folder):
        tables.append(READERS[path.parent.name](path))
        laps.lap(f"reader {path.parent.name}")
    together = assembly.assemble(tables, rules)
    laps.lap("cohort")
    found = OfCases.of(together.alterations, together.cases["case_id"].to_pylist())
    cases = features.described(together.cases, together.variants, found, together.spectra)
    laps.lap("description")
    fitted = features.fit(cases, together.variants, vocabulary)
    laps.lap("vocabulary")
    features.informative_variants(cases, together.variants, fitted)
    laps.lap("informative variants")
    training = together.cases.filter(pc.equal(together.cases["split"], "train"))
    for _ in views.training_views(together, recurrence(training, together.variants), fitted, seen):
        pass
    laps.lap("training views")
    return {"cases": cases.num_rows, "variants": together.variants.num_rows}


def stage(folder: Path, laps: Laps) -> dict[str, int]:
    """``stages/featurize.py`` with the parameters of this repository, in its own folder."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(ROOT / "params.yaml", scratch)
        (Path(scratch) / "data").mkdir()
        os.symlink(folder.resolve(), Path(scratch) / "data" / "raw")
        with chdir(scratch):
            laps.lap("start")
            featurize.main()
        laps.lap("featurize")
    return {}


def _measured(queue: multiprocessing.Queue, function: Callable, folder: Path) -> None:
    laps = Laps()
    counts = function(folder, laps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put({"counts": counts, "laps": laps.laps, "peak_MB": round(peak)})


def measure(function: Callable, folder: Path) -> dict:
    """Run ``function`` in a fresh process: its counts, its laps and its peak memory."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measured, args=(queue, function, folder))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{function.__name__} failed on {folder}: see above")
    return queue.get()


def compare(folder: Path, repeats: int) -> dict:
    """The quickest of each lap, the stage's ratio to bare reading, and its peak memory."""
    runs = [{function: measure(function, folder) for function in (bare, steps, stage)} for _ in range(repeats)]
    laps: dict[str, dict[str, float]] = {}
    for function in (bare, steps, stage):
        for name in runs[0][function]["laps"]:
            timed = [run[function]["laps"][name] for run in runs]
            laps[name] = {kind: round(min(lap[kind] for lap in timed), 2) for kind in ("wall", "cpu")}
    del laps["start"]
    raws = {kind: sum(lap[kind] for name, lap in laps.items() if name.startswith("raw")) for kind in ("wall", "cpu")}
    return {
        **runs[0][bare]["counts"],
        **runs[0][steps]["counts"],
        "seconds": laps,
        "ratio": {kind: round(laps["featurize"][kind] / raws[kind], 2) for kind in raws},
        "peak_MB": max(run[stage]["peak_MB"] for run in runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, nargs="+", default=[1.0], help="sizes, as multiples of the full one")
    parser.add_argument("--folder", type=Path, help="a folder like data/raw instead of simulated files")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(compare(arguments.folder, arguments.repeats), indent=1))
        return
    for size in arguments.rows:
        with tempfile.TemporaryDirectory() as scratch:
            simulation.write_depmap_rows(Path(scratch) / "depmap" / "simulated", round(size * DEPMAP_ROWS))
            simulation.write_tcga_rows(Path(scratch) / "tcga" / "simulated", round(size * TCGA_ROWS))
            print(json.dumps(compare(Path(scratch), arguments.repeats), indent=1), flush=True)


if __name__ == "__main__":
    main()
