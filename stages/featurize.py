"""From raw files to one cohort: cases with their counts and splits, the variants worth naming, the vocabulary."""

from pathlib import Path

import pyarrow.compute as pc

from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.features import augmentation, features
from cancertype.features.settings import Augment, Features
from cancertype.files import write_json
from cancertype.reports import data_report
from cancertype.sources import raw
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run

RAW = Path("data/raw")
OUT = Path("data/features")


def main() -> None:
    rules, wanted, augment = read({"cohort": Cohort, "features": Features, "augment": Augment})
    tables = raw.read(RAW, rules)
    panels = {name: genes for table in tables for name, genes in table.panels.items()}
    together = assembly.assemble(tables, rules)
    variants = together.variants
    if isinstance(wanted.genes, list):
        variants = features.restrict_to_panel(variants, wanted.genes)
    cases = features.count(together.cases, variants)
    vocabulary = features.fit(cases, variants, wanted)

    OUT.mkdir(parents=True, exist_ok=True)
    write_parquet(cases, OUT / "cases.parquet")
    telling = features.telling_variants(cases, variants, vocabulary)
    write_parquet(telling, OUT / "variants.parquet")
    write_parquet(vocabulary.table, OUT / "vocabulary.parquet")
    write_parquet(features.panels_table(panels), OUT / "panels.parquet")

    training = together.cases.filter(pc.equal(together.cases["split"], "train"))
    counted, told = [], []
    for version in augmentation.exchanged(training, variants, augment):
        counted.append(features.count(training, version))
        told.append(features.telling_variants(training, version, vocabulary))
    write_parquet(augmentation.numbered(counted, like=cases), OUT / augmentation.CASES)
    write_parquet(augmentation.numbered(told, like=telling), OUT / augmentation.VARIANTS)

    sources = [record for _, record in raw.records(RAW)]
    notes = [table.notes for table in tables]
    write_json(OUT / "sources.json", sources, sort_keys=True)
    summary = data_report.summary(cases, together.dropped)
    write_json(OUT / "report.json", summary)
    data_report.write_report(
        OUT / "report.html", cases, vocabulary, together.dropped, notes, sources, together.profiles
    )


if __name__ == "__main__":
    run(main)
