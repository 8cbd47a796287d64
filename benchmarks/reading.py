"""What reading costs: our readers against bare pyarrow reading of the same columns of the same file, in one run.

    python benchmarks/reading.py                                # MC3's size: 3.6 million rows of 114 columns, packed
    python benchmarks/reading.py --rows 450000 900000 1800000   # does time grow with rows, and with nothing else?
    python benchmarks/reading.py --layout depmap --rows 1200000
    python benchmarks/reading.py --folder data/raw/tcga/release # a real file

Every measurement runs in a process of its own, so that its peak memory is its own. Seconds are of the wall and of the
processors (the latter hardly depends on what else the machine does); of the repeats the quickest counts.
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
import pyarrow as pa
import pyarrow.csv as arrow_csv

from cancertype.settings.cohort import Cohort
from cancertype.sources import delimited, depmap, simulated, tcga

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
READERS = {"tcga": tcga.read, "depmap": depmap.read}
WRITERS = {"tcga": simulated.write_tcga_rows, "depmap": simulated.write_depmap_rows}


def raw(folder: Path, layout: str) -> dict[str, int]:
    """Read the needed columns of the large files with pyarrow alone, block by block, keeping nothing."""
    rows = 0
    for path in delimited.table_files(folder):
        top = delimited.header(path)
        wanted = [name for name in COLUMNS[layout] if name in top.names]
        if len(wanted) < len(COLUMNS[layout]) // 2:
            continue
        compression = "gzip" if path.suffix == ".gz" else None
        with pa.input_stream(str(path), compression=compression) as stream:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(skip_rows=top.line - 1),
                parse_options=arrow_csv.ParseOptions(delimiter=top.delimiter, quote_char='"' if top.quoted else False),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
                ),
            )
            rows += sum(batch.num_rows for batch in reader)
    return {"rows": rows}


def ours(folder: Path, layout: str) -> dict[str, int | float]:
    """Read the folder with the project's reader."""
    tables = READERS[layout](folder, Cohort())
    variants = tables.variants
    return {"cases": tables.cases.num_rows, "variants": variants.num_rows, "table_MB": round(variants.nbytes / 1e6, 1)}


def _measured(queue: multiprocessing.Queue, function: Callable, folder: Path, layout: str) -> None:
    began, spent = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    found = function(folder, layout)
    wall, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime - spent.ru_utime + now.ru_stime - spent.ru_stime
    queue.put(found | {"seconds": wall, "cpu_seconds": cpu, "peak_MB": now.ru_maxrss / 1024})


def measure(function: Callable, folder: Path, layout: str) -> dict[str, float]:
    """Run ``function`` in a fresh process: what it returns, with seconds, cpu_seconds and peak_MB."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_measured, args=(queue, function, folder, layout))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{function.__name__} failed on {folder}: see above")
    return queue.get()


def compare(folder: Path, layout: str, repeats: int) -> dict[str, float]:
    """The quickest of each in turn, and their ratios."""
    bare, read = [], []
    for _ in range(repeats):
        bare.append(measure(raw, folder, layout))
        read.append(measure(ours, folder, layout))
    quickest = {key: (min(r[key] for r in bare), min(r[key] for r in read)) for key in ("seconds", "cpu_seconds")}
    return {
        "rows": bare[0]["rows"],
        "raw_seconds": round(quickest["seconds"][0], 2),
        "reader_seconds": round(quickest["seconds"][1], 2),
        "ratio": round(quickest["seconds"][1] / quickest["seconds"][0], 2),
        "cpu_ratio": round(quickest["cpu_seconds"][1] / quickest["cpu_seconds"][0], 2),
        "peak_MB": round(max(r["peak_MB"] for r in read)),
        **{key: read[0][key] for key in ("cases", "variants", "table_MB")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", choices=sorted(READERS), default="tcga")
    parser.add_argument("--rows", type=int, nargs="+", default=[3_600_000])
    parser.add_argument("--folder", type=Path, help="read this folder instead of a simulated one")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(compare(arguments.folder, arguments.layout, arguments.repeats)))
        return
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "simulated"
            WRITERS[arguments.layout](folder, rows)
            print(json.dumps(compare(folder, arguments.layout, arguments.repeats)), flush=True)


if __name__ == "__main__":
    main()
