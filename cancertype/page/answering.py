"""The answer to one request of the page, as HTML that grows: answers first, explanations filled in afterwards."""

import base64
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from ..assays import assay as assays
from ..assays import recognition
from ..errors import InputError
from ..labels import NAMES
from ..prediction import answers, assumed_assay, case_parts, companions, explanation, inputs, priors
from ..prediction.about import about
from ..prediction.explanation import Explanation
from ..prediction.model import in_parts
from ..prediction.predictor import Predictor
from ..reports import pages
from ..sources.copy_number_segments import STATE_BUILD
from . import limits, reading
from .limits import Limits

LIMITS = Limits()
LONGEST_TEXT = 200_000
MOST_LEFT_OUT = 16
"""Mutations that are left out in turn, in each sample."""
SECONDS = 45.0
"""After this time no further sample is explained, and the page says so."""

_AT_ONCE = 8
"""Samples that are answered together. More take less time in all, and the first are shown later."""
_BETWEEN = 1.5
"""Seconds between two states of the page while it explains: each of them is sent whole."""
_FEWEST_BARS, _MOST_BARS, _PROBLEMS = 5, 8, 5
_PASTED = "text.txt"
_STATE_BUILD = "choose it under Reference genome"
_SHOWN_OF_ALL = ("Histology", "Site of the biopsy")
_OVERRULE = "the choice under What was looked at overrules this"


class State(NamedTuple):
    """One state of the answer."""

    html: str
    recognised: Mapping[str, str]
    """What the input says of its "assay", "sex" and "kind", in a few words; without what it does not say."""


def delete(path: Path) -> None:
    """What becomes of an upload that was read, unless ``answer`` is told otherwise."""
    path.unlink(missing_ok=True)


def answer(
    predictor: Predictor,
    model: Mapping,
    text: str,
    upload: str | None,
    sex: str = "",
    kind: str = "",
    assay: str = "",
    copy_number: Sequence[str] | None = None,
    fusions: Sequence[str] | None = None,
    spectra: Sequence[str] | None = None,
    histology: str = "",
    build: str = "",
    site: str = "",
    forget: Callable[[Path], None] = delete,
) -> Iterator[State]:
    """The answer to one request, each time more of it.

    ``model`` is ``answers.identity``. ``upload``, ``copy_number``, ``fusions`` and ``spectra`` are paths of uploaded
    files, which are given to ``forget`` as soon as they have been read. ``sex``, ``kind``, ``assay`` (the name of a
    known one), ``histology``, ``build`` ("hg19" or "hg38") and ``site`` (of the biopsy, which the model does not read)
    hold for every sample and may be empty.
    """
    given = {"copy_number": copy_number, "fusions": fusions, "spectra": spectra}
    beside = {name: list(map(Path, paths or ())) for name, paths in given.items()}
    try:
        with _given(text, upload, [path for paths in beside.values() for path in paths], forget) as path:
            # A name alone: anything else could be a path of the server's.
            known = assays.get(assay).name if assay else None
            own = {"sex": sex or None, "kind": kind or None, "assay": known}
            segments = {"build": build} if build and beside["copy_number"] else {}
            found = reading.read(path, predictor.config.cohort, **own, **beside, **segments)
        said = _recognised(found, [name for name, choice in own.items() if choice is None])
        if (n := found.tables.cases.num_rows) > LIMITS.samples:
            raise InputError(
                f"{n} samples, and this page takes {LIMITS.samples} at once: give fewer, or use `cancertype predict`"
            )
        for page in _answered(predictor, model, found, sex or None, histology or None, site.strip() or None):
            yield State(page, said)
    except InputError as error:
        yield State(html(error=str(error)), {})


def _recognised(found: inputs.Input, names: Sequence[str]) -> dict[str, str]:
    """What the input itself says of ``names``: the value, or the commonest and how many more there are."""
    values = {
        "assay": [each.assay.name for each in found.assays.values()],
        **{name: found.tables.cases[name].to_pylist() for name in ("sex", "kind")},
    }
    numbers = {name: Counter(value for value in values[name] if value).most_common() for name in names}
    return {
        name: number[0][0] + (f" and {len(number) - 1} more" if len(number) > 1 else "")
        for name, number in numbers.items()
        if number
    }


@contextmanager
def _given(
    text: str, upload: str | None, beside: Sequence[Path], forget: Callable[[Path], None]
) -> Iterator[Path | None]:
    """The path of the mutations (None where only files ``beside`` them were given). All files are within the limits,
    and forgotten at the end. Errors name what the visitor knows, not the server's folders.

    Text always becomes a file: taken as it is, it could name a file of the server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(upload) if upload else Path(folder) / _PASTED
        files = [path, *beside]
        try:
            if upload and text.strip():
                raise InputError("both a text and a file were given: clear one of them")
            if not upload and (text.strip() or not beside):
                _write_text(path, text)
            for file in files:
                if file.exists() or file in beside:
                    limits.check(file, LIMITS)
            yield path if path.exists() else None
        except InputError as error:
            said = str(error).replace(str(path), path.name if upload else "the text")
            said = said.replace(STATE_BUILD, _STATE_BUILD)
            for file in beside:
                said = said.replace(str(file), file.name)
            raise InputError(said) from error
        finally:
            for file in files:
                forget(file)


def _write_text(path: Path, text: str) -> None:
    if not text.strip():
        raise InputError("nothing was given: paste mutations such as APC R1450*, KRAS G12D, or upload a file")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"the text has more than {LONGEST_TEXT:,} characters: upload it as a file")
    path.write_text(text, encoding="utf-8", errors="replace")


def _answered(
    predictor: Predictor,
    model: Mapping,
    found: inputs.Input,
    sex: str | None,
    histology: str | None,
    site: str | None,
) -> Iterator[str]:
    """Answers as they are ready, then explanations until the time is up, and at the end the files to keep."""
    end = time.monotonic() + SECONDS
    said = about(found, predictor, model, sex=sex, histology=histology, site=site)
    weights = priors.label_weights(found.tables.cases, predictor.training_share, histology=histology)
    names = found.tables.cases["case_id"].to_pylist()
    cases: list[dict] = []
    explained: dict[str, Explanation] = {}
    for part in in_parts(predictor, found, weights, _AT_ONCE):
        cases += part
        yield _state(predictor, found, cases, explained, len(names), said)
    shown_at = time.monotonic()
    for name in names:
        if time.monotonic() > end:
            break
        _, (explained[name],) = explanation.explain(
            predictor, found.tables, [name], most=MOST_LEFT_OUT, weights=weights
        )
        if time.monotonic() > shown_at + _BETWEEN:
            yield _state(predictor, found, cases, explained, len(names), said)
            shown_at = time.monotonic()
    downloads = _downloads(predictor, said, model, cases, list(explained.values()))
    yield _state(predictor, found, cases, explained, len(names), said, downloads)


def _state(
    predictor: Predictor,
    found: inputs.Input,
    cases: Sequence[dict],
    explained: Mapping[str, Explanation],
    total: int,
    said: Mapping[str, str],
    downloads: Mapping[str, str] | None = None,
) -> str:
    """The page as far as it is: ``cases`` of ``total`` samples, what is ``said`` of all, and
    ``downloads`` once it is complete."""
    return html(
        found=found,
        assay=assumed_assay.in_words(found.assays).replace(recognition.OVERRULE, _OVERRULE),
        beside=[companions.in_json(each) for each in found.companions],
        cases=cases,
        total=total,
        tally=answers.tally(cases),
        bars={case["case_id"]: _bars(case) for case in cases},
        explanations=explained,
        coverage=predictor.calibration.coverage,
        downloads=downloads,
        said={name: said[name] for name in _SHOWN_OF_ALL if name in said},
    )


def _downloads(
    predictor: Predictor, said: Mapping, model: Mapping, cases: Sequence[dict], explained: Sequence[Explanation]
) -> dict[str, str]:
    """Kind of file to its address, which holds the file itself: the server keeps nothing."""
    content = {"about": said, "model": model, "warning": answers.WARNING, "cases": cases}
    content |= {"explanations": [asdict(each) for each in explained]}
    texts = {
        "csv": answers.as_csv(cases),
        "json": json.dumps(content, indent=2),
        "html": answers.page(cases, predictor.config, said, explained),
    }
    types = {"csv": "text/csv", "json": "application/json", "html": "text/html"}
    return {
        kind: f"data:{types[kind]};base64," + base64.b64encode(text.encode("utf-8")).decode("ascii")
        for kind, text in texts.items()
    }


def _bars(case: dict) -> list[tuple[str, str, float, bool]]:
    """Label, name, probability and whether it is in the set, most probable first: the labels of the set, but at least 5
    and at most 8, without those that are ruled out."""
    possible = [(label, p) for label, p in case["probabilities"].items() if p]
    ranked = sorted(possible, key=lambda item: -item[1])
    n = min(max(len(case["set"]), _FEWEST_BARS), _MOST_BARS)
    return [(label, NAMES[label], p, label in case["set"]) for label, p in ranked[:n]]


def html(error: str = "", **content) -> str:
    """The answer from what ``_state`` knows; empty without it."""
    nothing = dict.fromkeys(
        ("found", "assay", "beside", "cases", "total", "tally", "bars", "explanations", "coverage", "downloads", "said")
    )
    return pages.render(
        "page",
        "web_answer.html.j2",
        {"percent": pages.percent},
        error=error,
        names=NAMES,
        given=answers.given_in_words,
        measured=answers.measured_in_words,
        parts=case_parts.html,
        shown=_PROBLEMS,
        **(nothing | content),
    )
