"""A model is tested again on the data that it was made of: the same split, the same figures, or a clear word."""

import dataclasses

import pytest

from cancertype.commands import screen
from cancertype.errors import InputError
from cancertype.prediction.predictor import Predictor
from cancertype.prediction.remeasured import Remeasured, remeasured
from cancertype.simulator import simulation
from cancertype.simulator.settings import Simulated

from .settings import settings


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    """A folder as ``data.tcga.location`` would name it."""
    folder = tmp_path_factory.mktemp("patients") / "tcga"
    rules = settings(Simulated, "data.simulated", cases_per_label=6, cell_line_fraction=0.0)
    simulation.write_tcga(folder, rules)
    (folder / "source.json").unlink()
    return folder


@pytest.fixture
def predictor(published):
    found = Predictor.from_pretrained(published)
    few = found.config.cohort.model_copy(update={"min_cases_per_label": 3})
    zero = dict.fromkeys(("accuracy", "macro_f1", "top3", "log_loss", "ece"), 0.0)
    found.config = found.config.model_copy(update={"cohort": few, "headline": {"n": 1, "blend": zero}})
    return found


def test_the_test_split_is_made_anew_and_its_figures_are_compared(predictor, patients, capsys):
    first = remeasured(predictor, {"tcga": [str(patients)]}, progress=False)
    assert 15 < first.n < 60 and not first.agrees
    here = {figure.name: figure.here for figure in first.figures}
    assert set(here) == {"accuracy", "macro_f1", "top3", "log_loss", "ece"} and here["log_loss"] > 0.0
    screen.remeasured(first)
    assert "The test split is another one" in capsys.readouterr().out

    predictor.config = predictor.config.model_copy(update={"headline": {"n": first.n, "blend": here}})
    again = remeasured(predictor, {"tcga": [str(patients)]}, progress=False)
    assert again.agrees and again == dataclasses.replace(first, stored_n=first.n, figures=again.figures)
    worse = [dataclasses.replace(figure, stored=figure.here + 0.006) for figure in again.figures]
    other = Remeasured(first.n, first.n, tuple(worse))
    assert not other.agrees
    screen.remeasured(other)
    assert "The figures are not those of the release." in capsys.readouterr().out


def test_a_location_that_is_not_there_and_a_model_without_figures_say_so(predictor, patients, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        remeasured(predictor, {"tcga": [str(tmp_path / "nowhere")]}, progress=False)
    predictor.config = predictor.config.model_copy(update={"headline": {}})
    with pytest.raises(InputError, match="published without figures"):
        remeasured(predictor, {"tcga": [str(patients)]}, progress=False)
