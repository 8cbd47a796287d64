"""A small published model: random tiny Gemma, trees fitted on made-up cases of four cancers, all that publish adds."""

from pathlib import Path
from unittest import mock

import pyarrow as pa

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.cohort.settings import Cohort
from cancertype.evaluation import tabular, trees
from cancertype.evaluation.calibration import Calibration, Head
from cancertype.evaluation.settings import Tabular
from cancertype.features.associations import associations
from cancertype.features.settings import Features
from cancertype.labels import LABELS, NAMES
from cancertype.prediction import prediction_config
from cancertype.publishing import hub
from cancertype.tables.parquet import write_parquet
from cancertype.text.settings import Text
from cancertype.variants.schema import SUBSTITUTIONS

from .settings import settings
from .small_cohort import tables

TYPICAL = {
    "SKCM": [("BRAF", "V600E", "missense"), ("CDKN2A", "R80*", "nonsense")],
    "COAD": [("APC", "R1450*", "nonsense"), ("KRAS", "G12D", "missense")],
    "OV": [("TP53", "R175H", "missense"), ("BRCA1", "E23fs", "frameshift")],
    "PRAD": [("SPOP", "F133V", "missense"), ("FOXA1", "R219S", "missense")],
}
"""The mutations that nearly every case of a label has. Nothing else tells labels apart."""

_EACH = 20
# Short: the tiny tokenizer makes a token of nearly every letter.
_TEXT = settings(Text, "text", template="{kind} {sex} {burden}\n{mutations}\ncancer:", max_tokens=400)
_SOURCE = {"name": "Made-up cohort", "licence": "CC0 1.0", "terms": None, "citation": "nobody", "simulated": True}


def training_cohort():
    """Twenty cases of each label; some lack one of its typical mutations, all carry two that tell nothing."""
    cases, rows, splits = [], [], []
    for label, typical in TYPICAL.items():
        for i in range(_EACH):
            case_id = f"{label} {i}"
            cases.append({"case_id": case_id, "label": label, "sex": ("female", "male", None)[i % 3]})
            kept = typical if i % 4 else typical[i // 4 % 2 :][:1]
            rows += [(case_id, *mutation, None) for mutation in kept]
            rows += [(case_id, gene, f"A{1000 + i}V", "missense", SUBSTITUTIONS[i % 6]) for gene in ("TTN", "MUC16")]
            splits.append("validation" if i % 5 == 0 else "train")
    return tables(cases, rows), splits


def publish(folder: Path, merged: Path) -> Path:
    """Write ``folder`` as the stage publish does, around the language model in ``merged``."""
    cohort, splits = training_cohort()
    cases = features.described(cohort.cases, cohort.variants).append_column("split", pa.array(splits))
    named = settings(Features, "features", amino_acid_substitutions=0, trinucleotides=False, cancer_gene_panels=None)
    vocabulary = features.fit(cases, cohort.variants, named)
    x, columns = features.matrix(cases, features.informative_variants(cases, cohort.variants, vocabulary), vocabulary)
    y = cases["label"].to_pylist()
    train, validation = ([i for i, s in enumerate(splits) if s == which] for which in ("train", "validation"))
    small = {"trees": 40, "leaves": 4, "learning_rate": 0.2, "feature_fraction": 1.0, "min_cases_per_leaf": 2}
    rules = settings(Tabular, "tabular", **small)
    # So small a model only loses time by threads, on a busy machine much of it.
    with mock.patch.object(trees, "THREADS", 1):
        fitted = tabular.fit(
            [x[train]], [y[i] for i in train], [(x[validation], [y[i] for i in validation])], columns, rules, seed=0
        )
    work = folder.with_name(folder.name + "-parts")
    fitted.save(work / "trees")
    write_parquet(vocabulary.table, work / "vocabulary.parquet")
    informative = features.informative_variants(cases, cohort.variants, vocabulary)
    nothing_else = OfCases.of(None, cases["case_id"].to_pylist())
    write_parquet(associations(cases, informative, nothing_else, vocabulary), work / "associations.parquet")
    config = prediction_config.PredictionConfig(
        cohort=settings(Cohort, "cohort"),
        text=_TEXT,
        orders=1,
        batch_size=32,
        calibration=Calibration(
            text=Head(lm=0.1, trees=0.0, quantile=0.9),
            # A random language model knows nothing, so the trees decide.
            blend=Head(lm=0.01, trees=1.5, quantile=0.9),
            trees=Head(lm=0.0, trees=1.5, quantile=0.9),
            coverage=0.9,
            abstain_below=0.5,
            cases=16,
        ),
        performance={
            label: {"label": label, "name": NAMES[label], "n": 10, "recall": 0.8, "precision": None} for label in LABELS
        },
        headline={"n": 260, "simulated": True, "accuracy": 0.8},
        sources=[_SOURCE],
    )
    files = {f"{prediction_config.TREES}/{path.name}": path for path in tabular.files(work / "trees")}
    files[prediction_config.VOCABULARY] = work / "vocabulary.parquet"
    files[prediction_config.ASSOCIATIONS] = work / "associations.parquet"
    card = "---\nlicense: gemma\nbase_model: google/gemma-3-270m\n---\n\n# Made up\n"
    hub.assemble(
        folder, merged=merged, files=files, card=card, texts={prediction_config.CONFIG: config.model_dump_json()}
    )
    return folder
