"""What reading a study of AACR GENIE's size costs, in seconds and memory, step by step.

    python -m benchmarks.cbioportal                        # 200,000 samples, 2 million mutations
    python -m benchmarks.cbioportal --samples 50000        # smaller, with the same 10 mutations per sample
    python -m benchmarks.cbioportal --folder genie/        # a real study
    python -m benchmarks.cbioportal --stages               # fetch, featurize and to_text, as dvc repro calls them

The simulated study has GENIE's layout: samples of named panels (SEQ_ASSAY_ID), OncoTree codes, one patient in ten with
two samples, mutations of which one in ten is silent, and genomic_information.txt. The steps run in one process of
their own, whose peak memory is reported: the reader, recognition of the assays, the cohort, and one view of every
training case. With ``--stages`` the stages themselves run, each in its own process, with the parameters of the quick
preset but for the source, ``views.copies`` (``--copies``) and small labels. Seconds are of the wall ("wall") and of the
processors ("cpu"), which hardly depend on what else the machine does.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import yaml

from cancertype.assays import assay, recognition, views
from cancertype.assays.settings import Views
from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.sources import cbioportal
from pipeline.changes import write_changed

ROOT = Path(__file__).parents[1]
PRESET = ROOT / "params" / "quickstart.yaml"
STAGES = ("fetch_depmap", "fetch_tcga", "fetch_cbioportal", "fetch_table", "featurize", "to_text")
MUTATIONS_PER_SAMPLE = 10
ONCOTREE = (
    "LUAD", "IDC", "COAD", "PRAD", "PAAD", "SKCM", "GBM", "UCEC", "BLCA", "HGSOC", "STAD", "CCRCC", "THPA", "CHOL",
)  # fmt: skip
CLASSES = ("Missense_Mutation", "Nonsense_Mutation", "Frame_Shift_Del", "Splice_Site", "Silent")
CLASS_SHARES = (0.68, 0.08, 0.09, 0.05, 0.10)
RESIDUES = np.array(list("ACDEFGHIKLMNPQRSTVWY"))


def _cohort() -> Cohort:
    """The quick preset's rules, except that small labels are dropped."""
    return Cohort(**_preset()["cohort"] | {"small_labels": "drop"})


def _preset() -> dict:
    return yaml.safe_load(PRESET.read_text())


def write_study(folder: Path, n_samples: int, seed: int = 0) -> None:
    """A simulated study of GENIE's layout in ``folder``."""
    rng = np.random.default_rng(seed)
    panels = [panel for panel in assay.panels().values() if panel.name.startswith(("msk", "dfci", "ucsf", "tso"))]
    of_sample = rng.integers(0, len(panels), n_samples)
    patient = np.arange(n_samples)
    patient[np.flatnonzero(rng.random(n_samples) < 0.1)[1:]] -= 1
    samples = np.array([f"GENIE-SIM-{i:07d}-S1" for i in range(n_samples)])
    names = np.array([panel.aliases[0] for panel in panels])
    _write(
        folder / "data_clinical_sample.txt",
        {
            "PATIENT_ID": np.array([f"GENIE-SIM-{i:07d}" for i in patient]),
            "SAMPLE_ID": samples,
            "ONCOTREE_CODE": np.array(ONCOTREE)[rng.integers(0, len(ONCOTREE), n_samples)],
            "SAMPLE_TYPE": np.array(["Primary", "Metastasis", "Unspecified"])[rng.integers(0, 3, n_samples)],
            "SEQ_ASSAY_ID": names[of_sample],
        },
    )
    intervals = [(panel.aliases[0], gene) for panel in panels for gene in panel.genes]
    columns = {"SEQ_ASSAY_ID": [name for name, _ in intervals], "Hugo_Symbol": [gene for _, gene in intervals]}
    _write(folder / "genomic_information.txt", columns)
    _write(folder / "data_mutations_extended.txt", _mutations(rng, samples, panels, of_sample))


def _mutations(rng: np.random.Generator, samples: np.ndarray, panels: list, of_sample: np.ndarray) -> dict:
    n = MUTATIONS_PER_SAMPLE * len(samples)
    case = np.sort(rng.integers(0, len(samples), n))
    gene = np.empty(n, object)
    for number, panel in enumerate(panels):
        here = np.flatnonzero(of_sample[case] == number)
        gene[here] = rng.choice(np.array(panel.genes, object), len(here))
    codon = rng.integers(2, 900, n).astype(str)
    kind = rng.choice(len(CLASSES), n, p=CLASS_SHARES)
    before, after = (RESIDUES[rng.integers(0, 20, n)] for _ in range(2))
    after = np.select([kind == 1, kind == 2, kind == 4], ["*", "fs*12", "="], after)
    bases = np.array(list("ACGT"))
    return {
        "Hugo_Symbol": gene.tolist(),
        "Chromosome": rng.integers(1, 23, n).astype(str),
        "Start_Position": rng.integers(1, 100_000_000, n).astype(str),
        "Variant_Classification": np.array(CLASSES)[kind],
        "Reference_Allele": bases[rng.integers(0, 4, n)],
        "Tumor_Seq_Allele2": bases[rng.integers(0, 4, n)],
        "Tumor_Sample_Barcode": samples[case],
        "Mutation_Status": np.full(n, "UNKNOWN"),
        "HGVSp_Short": np.char.add(np.char.add("p.", np.char.add(before, codon)), after),
    }


def _write(path: Path, columns: dict) -> None:
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    with path.open("wb") as file:
        file.write(("\t".join(columns) + "\n").encode())
        options = arrow_csv.WriteOptions(delimiter="\t", include_header=False, quoting_style="none")
        arrow_csv.write_csv(table, file, options)


def measure(folder: Path) -> dict:
    """Seconds of each step on the study in ``folder``, what came out, and the peak memory."""
    seconds: dict[str, dict[str, float]] = {}
    began = time.perf_counter(), time.process_time()

    def lap(name: str) -> None:
        nonlocal began
        now = time.perf_counter(), time.process_time()
        seconds[name] = {kind: round(b - a, 1) for kind, a, b in zip(("wall", "cpu"), began, now, strict=True)}
        began = now

    read = cbioportal.read(folder)
    lap("read")
    found = recognition.resolved(read)
    lap("recognise")
    cohort = assembly.assemble([found.tables], _cohort())
    lap("cohort")
    training = cohort.cases.filter(pa.compute.equal(cohort.cases["split"], "train"))
    recurrent = views.recurrence(training, cohort.variants)
    seen = views.Seen(training, cohort.variants, recurrent, found.tables.panels)
    view = seen.drawn(Views(**_preset()["views"]), 0)
    lap("one view")
    return {
        "rows": read.account.total,
        "cases": read.cases.num_rows,
        "variants": read.variants.num_rows,
        "assays": len(found.recognised),
        "variants_of_the_view": view.variants.num_rows,
        "seconds": seconds,
        "peak_MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def measured(folder: Path) -> dict:
    """The same in a fresh process, so that the peak memory is that of the steps alone."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(measure, folder).result()


def of_stages(study: Path, copies: int) -> dict[str, dict[str, float]]:
    """Stage to seconds and peak memory. Raises ``CalledProcessError`` when one fails."""
    changes = {
        "data.sources": ["cbioportal"],
        "data.cbioportal.location": [str(study.resolve())],
        "cohort.small_labels": "drop",
        "views.copies": copies,
    }
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_changed(PRESET, changes, folder / "params.yaml")
        (folder / "models").mkdir()
        (folder / "models" / "base").symlink_to(ROOT / "models" / "base")
        for stage in STAGES:
            command, began = [sys.executable, "-m", f"stages.{stage}"], time.perf_counter()
            process = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)})
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, command)
            found[stage] = {
                "wall": round(time.perf_counter() - began, 1),
                "cpu": round(usage.ru_utime + usage.ru_stime, 1),
                "peak_MB": round(usage.ru_maxrss / 1024),
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="a real study instead of a simulated one")
    parser.add_argument("--stages", action="store_true", help="run the stages instead of their steps")
    parser.add_argument("--copies", type=int, default=1, help="views.copies of the stages")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        study = arguments.folder or Path(scratch)
        if not arguments.folder:
            write_study(study, arguments.samples)
        found = of_stages(study, arguments.copies) if arguments.stages else measured(study)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
