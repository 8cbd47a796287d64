"""From raw files to one cohort: cases as they are, seen through assays, and the vocabulary of what is worth naming."""

from pathlib import Path

import pyarrow.compute as pc

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.assays.assay import panels_per_gene
from cancertype.assays.settings import Views
from cancertype.assays.views import recurrence
from cancertype.cohort import assembly
from cancertype.cohort.settings import Cohort
from cancertype.features import view_files, views
from cancertype.features.associations import associations
from cancertype.features.settings import Features
from cancertype.files import write_json
from cancertype.reports import data_report
from cancertype.sources import raw
from cancertype.sources.settings import Locations, listed
from cancertype.tables.parquet import write_parquet
from pipeline.params import read, run

RAW = Path("data/raw")
OUT = Path("data/features")
TESTED_ON = ("validation", "test", "out_of_scope")


def main() -> None:
    rules, vocabulary_settings, seen_through, grid, genome = read(
        {
            "cohort": Cohort,
            "features": Features,
            "views": Views,
            "evaluate.assays": list[str],
            "data.genome": Locations,
        }
    )
    tables = raw.read(RAW, rules, [Path(path) for path in listed(genome)])
    cohort = assembly.assemble(tables, rules)
    if isinstance(vocabulary_settings.genes, list):
        cohort = cohort.restricted(vocabulary_settings.genes)
    alterations = OfCases.of(cohort.alterations, cohort.cases["case_id"].to_pylist())
    cases = features.described(cohort.cases, cohort.variants, alterations, cohort.spectra)
    vocabulary = features.fit(cases, cohort.variants, vocabulary_settings, panels_per_gene())
    as_it_is = views.table(cases, cohort.variants, cohort.panels, vocabulary)
    recurrent = recurrence(cohort.cases.filter(pc.equal(cohort.cases["split"], "train")), cohort.variants)
    trained_on = list(enumerate(views.training_views(cohort, recurrent, vocabulary, seen_through)))
    tested_on = list(views.grid(cohort, TESTED_ON, recurrent, vocabulary, grid, seen_through))

    OUT.mkdir(parents=True, exist_ok=True)
    write_parquet(as_it_is.cases, OUT / "cases.parquet")
    write_parquet(as_it_is.variants, OUT / "variants.parquet")
    write_parquet(vocabulary.table, OUT / "vocabulary.parquet")
    counted = associations(cases, as_it_is.variants, alterations, vocabulary)
    write_parquet(counted, OUT / "associations.parquet")
    view_files.write(OUT, view_files.TRAINING, "copy", trained_on, like=as_it_is)
    view_files.write(OUT, view_files.GRID, "row", tested_on, like=as_it_is)
    panels = {name: genes for _, table in (*trained_on, *tested_on) for name, genes in table.panels.items()}
    write_parquet(features.panels_table(cohort.panels | panels), OUT / "panels.parquet")

    sources = [record for _, record in raw.records(RAW)]
    notes = [table.notes for table in tables]
    write_json(OUT / "sources.json", sources, sort_keys=True)
    write_json(OUT / "report.json", data_report.summary(cases, cohort.dropped))
    data_report.write_report(OUT / "report.html", cases, vocabulary, cohort.dropped, notes, sources, cohort.profiles)


if __name__ == "__main__":
    run(main)
