"""From raw files to one cohort: cases with their counts and splits, the variants worth naming, the vocabulary."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cancertype import features
from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.features import augmentation
from cancertype.features.settings import Augment, Features
from cancertype.files import write_json
from cancertype.reports import data_report
from cancertype.sources import raw
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run

RAW = Path("data/raw")
OUT = Path("data/features")


def main() -> None:
    rules, vocabulary_settings, augment = read({"cohort": Cohort, "features": Features, "augment": Augment})
    tables = raw.read(RAW, rules)
    panels = {name: genes for table in tables for name, genes in table.panels.items()}
    cohort = assembly.assemble(tables, rules)
    variants = cohort.variants
    if isinstance(vocabulary_settings.genes, list):
        variants = features.restrict_to_panel(variants, vocabulary_settings.genes)
    cases = features.count(cohort.cases, variants)
    vocabulary = features.fit(cases, variants, vocabulary_settings)
    informative = features.informative_variants(cases, variants, vocabulary)

    OUT.mkdir(parents=True, exist_ok=True)
    write_parquet(cases, OUT / "cases.parquet")
    write_parquet(informative, OUT / "variants.parquet")
    write_parquet(vocabulary.table, OUT / "vocabulary.parquet")
    write_parquet(features.panels_table(panels), OUT / "panels.parquet")

    training = cohort.cases.filter(pc.equal(cohort.cases["split"], "train"))
    copies = [
        _counted(training, of_copy, vocabulary)
        for of_copy in augmentation.variants_of_copies(training, variants, augment)
    ]
    write_parquet(augmentation.numbered([c for c, _ in copies], like=cases), OUT / augmentation.CASES)
    write_parquet(augmentation.numbered([v for _, v in copies], like=informative), OUT / augmentation.VARIANTS)

    sources = [record for _, record in raw.records(RAW)]
    notes = [table.notes for table in tables]
    write_json(OUT / "sources.json", sources, sort_keys=True)
    write_json(OUT / "report.json", data_report.summary(cases, cohort.dropped))
    data_report.write_report(OUT / "report.html", cases, vocabulary, cohort.dropped, notes, sources, cohort.profiles)


def _counted(cases: pa.Table, variants: pa.Table, vocabulary: features.Vocabulary) -> tuple[pa.Table, pa.Table]:
    """The counted cases of an augmented copy, and its informative variants."""
    return features.count(cases, variants), features.informative_variants(cases, variants, vocabulary)


if __name__ == "__main__":
    run(main)
