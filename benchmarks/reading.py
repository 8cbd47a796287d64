"""What it costs to validate a user's files, against bare pyarrow reading of the same columns.

    python -m benchmarks.reading                  # one million rows of a MAF with 114 columns, simulated
    python -m benchmarks.reading --rows 3600000   # as large as MC3
    python -m benchmarks.reading --file my.maf.gz # any file that the commands read

Reading and validating (``summary``, which looks at every row twice) each run in a process of their own, so that
the peak memory is their own. Seconds are of the wall and of the processors; of the repeats the quickest counts.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas  # noqa: F401  pyarrow imports it at its first array from Python: an import is not reading.

from cancertype.prediction import inputs
from cancertype.prediction.summary import summary
from cancertype.simulator import simulation
from cancertype.sources import maf
from cancertype.tables.delimited import TEXT, DelimitedFile

ROWS = 1_000_000


def bare(path: Path) -> dict[str, int]:
    """Parse the columns that a MAF's reader needs, block by block, and keep nothing."""
    file = DelimitedFile.open(path)
    columns = {name: TEXT for names in maf.LAYOUT.present(file.names).values() for name in names}
    return {"rows": sum(batch.num_rows for batch in file.batches(columns))}


def read(path: Path) -> dict[str, int]:
    """Read the file as ``predict`` does."""
    tables = inputs.read(str(path)).tables
    return {"rows": tables.account.total, "used": tables.account.used, "cases": tables.cases.num_rows}


def validate(path: Path) -> dict[str, int]:
    """Read and check it as ``validate`` does."""
    found = summary(inputs.read(str(path)))
    return {"rows": found["account"]["total"], "wrong_rows": found["wrong_rows"]}


def _measured(queue: multiprocessing.Queue, function: Callable, path: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    counts = function(path)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put({**counts, **{f"{kind}_s": round(value, 2) for kind, value in seconds.items()}, "peak_MB": round(peak)})


def measure(function: Callable, path: Path, repeats: int) -> dict[str, float]:
    """The quickest of ``repeats`` runs, each in a fresh process."""
    context = multiprocessing.get_context("spawn")
    runs = []
    for _ in range(repeats):
        queue = context.Queue()
        process = context.Process(target=_measured, args=(queue, function, path))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{function.__name__} failed on {path}: see above")
        runs.append(queue.get())
    return min(runs, key=lambda run: run["wall_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--file", type=Path, help="a file of your own instead of a simulated MAF")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = arguments.file
        if path is None:
            simulation.write_tcga_rows(Path(scratch) / "tcga", arguments.rows)
            path = next((Path(scratch) / "tcga").glob("*.maf*"))
        figures = {each.__name__: measure(each, path, arguments.repeats) for each in (bare, read, validate)}
        figures["ratio"] = {
            kind: round(figures["validate"][kind] / figures["bare"][kind], 2) for kind in ("wall_s", "cpu_s")
        }
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
