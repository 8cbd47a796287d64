"""From raw files to one cohort: cases with their counts and splits, the variants worth naming, the vocabulary."""

from pathlib import Path

from cancertype import cohort, data_report, features
from cancertype.files import write_json
from cancertype.settings.cohort import Cohort
from cancertype.settings.features import Features
from cancertype.sources import raw
from cancertype.tables import write_parquet
from stages.params import read, run

RAW = Path("data/raw")
OUT = Path("data/features")


def main() -> None:
    rules, wanted = read({"cohort": Cohort, "features": Features})
    tables = raw.read(RAW, rules)
    panels = {name: genes for table in tables for name, genes in table.notes.get("panels", {}).items()}
    together = cohort.assemble(tables, rules)
    variants = together.variants
    if isinstance(wanted.genes, list):
        variants = features.restrict_to_panel(variants, wanted.genes)
    cases = features.count(together.cases, variants)
    vocabulary = features.fit(cases, variants, wanted)

    OUT.mkdir(parents=True, exist_ok=True)
    write_parquet(cases, OUT / "cases.parquet")
    write_parquet(features.telling_variants(cases, variants, vocabulary), OUT / "variants.parquet")
    write_parquet(vocabulary.table, OUT / "vocabulary.parquet")
    write_parquet(features.panels_table(panels), OUT / "panels.parquet")
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
