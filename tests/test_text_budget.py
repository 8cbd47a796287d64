"""No assay and no finding makes a text exceed the token budget of params.yaml, counted by Gemma's own tokenizer."""

import numpy as np
import pyarrow as pa
import pytest
import yaml

from cancertype import features
from cancertype.alterations.of_cases import OfCases
from cancertype.alterations.schema import ARMS
from cancertype.assays import assay
from cancertype.features.settings import Features
from cancertype.text import prompt, rendering
from cancertype.text.settings import Text
from cancertype.variants.schema import SUBSTITUTIONS
from cancertype.variants.spectra import SPECTRA
from tests.conftest import ROOT
from tests.settings import settings
from tests.small_cohort import cases_table, variants_table

PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())["text"]
KNOWN = sorted(assay.panels_per_gene(), key=lambda gene: (-assay.panels_per_gene()[gene], gene))[:60]
FUSIONS = frozenset({"TMPRSS2-ERG", "EML4-ALK", "KIAA1549-BRAF", "FGFR3-TACC3", "HLA-A-ROS1"})
ALTERNATING = [(-1) ** i for i in range(len(ARMS))]
"""No chromosome whose two arms agree, so that every arm is named by itself."""


@pytest.fixture(scope="module")
def crowded():
    """One case for each assay, all of them with 60 mutated genes, 39 altered arms, and many events; and a vocabulary
    that knows them all."""
    wide = [f"LOC{1000000 + i}" for i in range(2940)] + KNOWN
    panels = {name: list(each.genes) for name, each in assay.panels().items()} | {"wide": wide, "nothing": []}
    names = [None, "list", "genome", *panels]
    ids = [f"c{i}" for i in range(len(names))]
    cases = cases_table(
        [
            {"case_id": case, "label": "OV", "sex": "female", "kind": "cell line", "panel": panel}
            for case, panel in zip(ids, names, strict=True)
        ]
    ).append_column("split", pa.array(["train"] * len(ids)))
    mutations = [
        (case, gene, f"W{1000 + i}C", "missense", SUBSTITUTIONS[i % 6])
        for case in ids
        for i, gene in enumerate(KNOWN * 20)
    ]
    variants = variants_table(mutations)
    found = OfCases(
        arms=np.tile(np.array(ALTERNATING, np.int8), (len(ids), 1)),
        genes=tuple(sorted(KNOWN)),
        calls=np.tile(np.resize(np.array([2, -2], np.int8), len(KNOWN)), (len(ids), 1)),
        fusions=(FUSIONS,) * len(ids),
    )
    spectra = [{"case_id": case, "kind": "SBS96", "total": 96.0, "shares": [1 / 96] * 96} for case in ids]
    described = features.described(cases, variants, found, pa.Table.from_pylist(spectra, schema=SPECTRA))
    vocabulary = features.fit(described, variants, settings(Features, "features", recurrent_min_cases=1))
    assert len(vocabulary.names("amplified")) == len(vocabulary.names("deleted")) == 30
    return described, features.informative_variants(described, variants, vocabulary), vocabulary, panels


@pytest.fixture(scope="module")
def counter(gemma_tokenizer):
    return rendering.token_counter(gemma_tokenizer)


@pytest.fixture(scope="module")
def texts(crowded, counter) -> list[prompt.Rendered]:
    cases, informative, vocabulary, panels = crowded
    return rendering.Renderer(Text(**PARAMS), vocabulary, counter, panels).render(cases, informative)


def test_no_text_is_over_the_budget(texts, counter):
    longest = max(counter(list(prompt.completions(PARAMS["completion"]).values())))
    assert max(counter([text.prompt for text in texts])) + longest + 1 <= PARAMS["max_tokens"]


def test_every_text_still_ends_with_its_mutations_and_the_question(texts):
    for text in texts:
        *_, mutations, question = text.prompt.split("\n")
        assert question == "cancer:" and len(text.mutations) + text.left_out > 0
        assert mutations in ([", ".join(text.mutations)] if text.mutations else ["none", "unknown"])


def test_the_assay_is_always_named(crowded, texts):
    cases, _, _, panels = crowded
    for panel, text in zip(cases["panel"].to_pylist(), texts, strict=True):
        first = text.prompt.split("\n")[0]
        named = {None: "exome", "list": "list", "genome": "genome", "nothing": "not sequenced"}
        assert first.endswith(named.get(panel) or f"panel of {len(panels.get(panel, ()))} genes")


def test_a_case_of_the_usual_kind_is_not_cut(crowded, counter):
    """The budget would also hold if everything were left out: with few events there is room for all."""
    cases, informative, vocabulary, panels = crowded
    few = cases.slice(0, 1)
    for name in ("amplified", "deleted", "fusions"):
        few = few.set_column(few.column_names.index(name), name, pa.array([[]], pa.list_(pa.string())))
    arms = pa.array([[1, 1] + [0] * 35 + [-1, -1]], few.schema.field("arms").type)
    few = few.set_column(few.column_names.index("arms"), "arms", arms)
    (text,) = rendering.Renderer(Text(**PARAMS), vocabulary, counter, panels).render(few, informative)
    # Beside 14 groups of contexts and six exchanges, with protein changes of six tokens each.
    assert len(text.mutations) >= 7
    assert "gains 1; losses 21q 22q" in text.prompt and "CpG" in text.prompt
