"""Make the example files from the simulated cohort of the default run.

    dvc repro && python examples/make.py

Ten tumours of ten cancers with few mutations, under names of their own. No row comes from a patient.
"""

from pathlib import Path

import pandas as pd

RAW, OUT = Path("data/raw/tcga/simulated"), Path(__file__).parent
COHORTS = ("COAD", "KIRC", "BRCA", "GBM", "LGG", "PRAD", "THCA", "OV", "LUAD", "LAML")
COLUMNS = (
    *("Hugo_Symbol", "NCBI_Build", "Chromosome", "Start_Position", "End_Position", "Variant_Classification"),
    *("Variant_Type", "Reference_Allele", "Tumor_Seq_Allele1", "Tumor_Seq_Allele2", "Tumor_Sample_Barcode"),
    *("HGVSp_Short", "FILTER"),
)
MOST = 250
"""Mutations of an example tumour, at most, so that the file stays small."""


def main() -> None:
    maf = pd.read_csv(RAW / "simulated.maf.gz", sep="\t", comment="#", dtype=str, keep_default_na=False)
    arms = pd.read_csv(RAW / "arms.tsv", sep="\t", dtype=str, keep_default_na=False)
    fusions = pd.read_csv(RAW / "fusions.tsv", sep="\t", dtype=str, keep_default_na=False)
    clinical = pd.read_csv(RAW / "simulated_clinical.tsv", sep="\t", dtype=str, keep_default_na=False)
    burden = maf["Tumor_Sample_Barcode"].str[:12].value_counts()
    with_arms = set(arms["Sample"].str[:12])
    chosen = {}
    for cohort in COHORTS:
        names = clinical.loc[clinical["acronym"] == cohort, "bcr_patient_barcode"]
        fits = [name for name in names if name in with_arms and 0 < burden.get(name, 0) <= MOST]
        if fits:
            # The one in the middle: typical, and the same on every run.
            chosen[sorted(fits, key=lambda name: (burden[name], name))[len(fits) // 2]] = cohort
    new = {name: f"tumour-{number:02d}" for number, name in enumerate(chosen, 1)}

    def renamed(frame: pd.DataFrame, column: str) -> pd.DataFrame:
        own = frame[column].str[:12].map(new)
        return frame[own.notna()].assign(**{column: own.dropna()}).sort_values(column, kind="stable")

    header = "#SIMULATED data: drawn from published frequencies, no patient's data (docs/simulator.md)\n"
    rows = renamed(maf, "Tumor_Sample_Barcode")[list(COLUMNS)]
    (OUT / "tumours.maf").write_text(header + rows.to_csv(sep="\t", index=False), encoding="utf-8")
    renamed(arms, "Sample").to_csv(OUT / "arms.tsv", sep="\t", index=False)
    renamed(fusions, "Sample")[["Sample", "Gene_A", "Gene_B"]].to_csv(OUT / "fusions.tsv", sep="\t", index=False)
    truth = pd.DataFrame({"sample": [new[name] for name in chosen], "cohort": list(chosen.values())})
    truth.to_csv(OUT / "cohorts.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
