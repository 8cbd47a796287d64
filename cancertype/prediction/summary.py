"""What an input holds and what became of it, ready for JSON."""

from collections import Counter
from dataclasses import asdict

from ..alterations.schema import Alterations
from ..variants.cases import NOTHING
from ..variants.genes import known_genes
from . import assumed_assay, companions
from .forms import FREE_TEXT
from .inputs import COMPANIONS_ALONE, Input
from .remarks import counts, remarks
from .row_problems import row_problems


def unused_columns(read_input: Input) -> list[str]:
    """Names of the columns that are not read, of a file with one mutation per row; empty for other forms."""
    if read_input.parts:
        return list(dict.fromkeys(name for part in read_input.parts for name in unused_columns(part)))
    if read_input.layout is None:
        return []
    used = {name for names in read_input.layout.present(read_input.file.names).values() for name in names}
    return [name for name in read_input.file.names if name not in used]


def unknown_genes(read_input: Input) -> list[tuple[str, int]]:
    """Symbols that are no known gene, with their variants, the most frequent first: no model can use them."""
    found = counts(read_input.tables.variants["gene"])
    known = known_genes()
    return [(gene, n) for gene, n in found.most_common() if gene.upper() not in known]


_UNITS = {FREE_TEXT: "line", COMPANIONS_ALONE: None}


def _alterations(stated: Alterations | None) -> dict[str, int]:
    """How many calls of arms and genes, and how many fusions."""
    if stated is None:
        return {}
    numbers = {"arms": stated.arms.num_rows, "genes": stated.genes.num_rows, "fusions": stated.fusions.num_rows}
    return {what: n for what, n in numbers.items() if n}


def summary(read_input: Input, limit: int = 20) -> dict:
    """What the input holds, ready for JSON: name, form, samples, ``mutations`` used and their ``consequences``,
    samples ``without_mutation``, the ``assays`` that were assumed (name, reason, certain, samples), how many
    ``alterations`` the text states, ``remarks`` with the number of samples, the ``account`` of every row (unit, total,
    used, left_out and not_understood by reason), what was ``ignored`` (what, reason, n, examples), ``unused_columns``,
    ``unknown_genes``, the ``unit`` of its lines (None without mutations), and the number of
    ``wrong_rows`` with the first ``limit``."""
    tables = read_input.tables
    own = [dropped for dropped in tables.dropped if dropped.source not in companions.KINDS]
    seen = counts(tables.variants["case_id"])
    cases = zip(*(tables.cases[name].to_pylist() for name in ("case_id", "panel")), strict=True)
    wrong, n_wrong = [], 0
    for problem in row_problems(read_input):
        n_wrong += 1
        if len(wrong) < limit:
            wrong.append({"line": problem.line, "what": problem.what})
    said = Counter(remark for case in remarks(read_input).values() for remark in case)
    return {
        "name": read_input.name,
        "form": read_input.form,
        "samples": tables.cases.num_rows,
        "mutations": tables.variants.num_rows,
        "consequences": dict(counts(tables.variants["consequence"]).most_common()),
        "without_mutation": [name for name, panel in cases if panel != NOTHING and name not in seen],
        "assay": assumed_assay.in_words(read_input.assays),
        "assays": assumed_assay.in_json(read_input.assays),
        "alterations": _alterations(tables.alterations),
        "remarks": dict(said.most_common()),
        "account": asdict(tables.account) if tables.account else None,
        "ignored": [asdict(dropped) | {"examples": list(dropped.examples)} for dropped in own],
        "unused_columns": unused_columns(read_input),
        "unknown_genes": dict(unknown_genes(read_input)),
        "unit": _UNITS.get(read_input.form, "row"),
        "wrong_rows": n_wrong,
        "wrong": wrong,
    }
