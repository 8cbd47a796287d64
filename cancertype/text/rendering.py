"""A case as text: prompt and completion within a token budget, the most informative mutations first."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Formatter

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from ..errors import InputError
from ..features import AMINO_ACID_SUBSTITUTIONS, COUNTED, Vocabulary, sees_assays
from ..features.vocabulary import LISTED, fused_genes
from ..labels import LABELS
from ..variants.cases import EXOME, GENOME, LIST, NOTHING
from ..variants.schema import SUBSTITUTIONS
from . import alteration_words
from .prompt import SEPARATOR, Rendered, completions
from .settings import Text

NO_MUTATION, UNKNOWN = "none", "unknown"
NAMED_UNSEQUENCED = 12
_MOST_FUSIONS = 3
_MOST_GENES = 6
_FEWEST_SUBSTITUTIONS = 10
_SHORT = {
    "nonsense": "stop",
    "frameshift": "fs",
    "splice": "splice",
    "inframe": "inframe",
    "start_lost": "start",
    "stop_lost": "end",
}


def mutation(gene: str, change: str, consequence: str, recurrent: bool, changes: str) -> str:
    """One mutation in words: ``BRAF V600E`` when the change is named, otherwise the gene and the kind of truncation:
    ``APC stop``.

    ``changes`` is "all" (every protein change is named), "recurrent" (those of the vocabulary are) or "none".
    """
    if change and (changes == "all" or (changes == "recurrent" and recurrent)):
        return f"{gene} {change}"
    return f"{gene} {_SHORT[consequence]}" if consequence in _SHORT else gene


def spectrum(counts: Sequence[int]) -> str:
    """The shares of the six substitution classes in tenths: ``CA1 CG0 CT7 TA0 TC1 TG0``; "unknown" for a case without
    substitutions."""
    total = sum(counts)
    if total == 0:
        return "unknown"
    return " ".join(
        f"{name.replace('>', '')}{_tenths(n, total)}" for name, n in zip(SUBSTITUTIONS, counts, strict=True)
    )


def shares(counts: Sequence[int]) -> str:
    """The same six tenths without their names, in half the tokens: ``107010``."""
    total = sum(counts)
    return "".join(str(_tenths(n, total)) for n in counts) if total else "unknown"


def events(case: Mapping[str, int]) -> str:
    """Insertions, deletions, doublets and truncating variants as powers of two, one digit and so one token each.

    ``1302`` is 1 insertion, 6 to 10 deletions, no doublet, 2 to 4 truncating variants: n becomes log2(n + 1), rounded,
    at most 9. These are counts because a share in tenths hides small numbers, such as two deletions in a hundred.
    """
    return "".join(str(min(9, round(math.log2(case[name] + 1)))) for name in COUNTED[1:])


def process(case: Mapping[str, int]) -> str:
    """The mutational process that the counts point to, in words that a language model knows. This is a coarse rule.

    ``case`` holds the counts of ``features.count``. The rule uses the classes by which the signatures of these
    processes differ most (COSMIC v3: SBS7, 4, 2 + 13, 6 + 15 with ID1 + 2, 10, 1). Fewer than ten substitutions name no
    process.
    """
    counts = {name: case[name] for name in SUBSTITUTIONS}
    total, burden = sum(counts.values()), max(case["burden"], 1)
    if total < _FEWEST_SUBSTITUTIONS:
        return "too few to tell"
    share = {name: n / total for name, n in counts.items()}
    if burden >= 300 and (case["insertions"] + case["deletions"]) / burden >= 0.12:
        return "mismatch-repair-deficient"
    if burden >= 2000 and share["C>A"] >= 0.25 and share["C>T"] >= 0.35:
        return "polymerase-deficient"
    if share["C>T"] >= 0.7 and (case["doublets"] >= 2 or burden >= 150):
        return "ultraviolet-like"
    if share["C>G"] >= 0.25 and share["C>G"] + share["C>T"] >= 0.65:
        return "APOBEC-like"
    if share["C>A"] >= 0.35:
        return "smoking-like"
    if share["C>T"] >= 0.5:
        return "deamination with age"
    return "mixed"


def _tenths(part: int, whole: int) -> int:
    """A share in tenths, 0 to 9, so that it is one digit and so one token."""
    return min(9, int(10 * part / whole + 0.5))


def _amino_acids(counts: np.ndarray, named: list[int], limit: int) -> str:
    """The commonest amino-acid substitutions among those in the vocabulary; ties in the vocabulary's order."""
    present = [i for i in named if counts[i] > 0]
    present.sort(key=lambda i: -counts[i])
    return " ".join(AMINO_ACID_SUBSTITUTIONS[i].replace(">", "") for i in present[:limit]) or "none"


def token_counter(tokenizer_file: Path) -> Callable[[Sequence[str]], list[int]]:
    """A function from texts to their numbers of tokens, including special tokens. Raises ``InputError`` when the file
    is missing or damaged."""
    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
    except Exception as error:  # tokenizers raises a bare Exception for a missing or malformed file
        raise InputError(f"{tokenizer_file}: is no readable tokenizer ({error}). Fetch the base first") from error
    return counter_of(tokenizer)


def counter_of(tokenizer: Tokenizer) -> Callable[[Sequence[str]], list[int]]:
    """The same for a tokenizer that is already loaded."""
    return lambda texts: [len(encoding.ids) for encoding in tokenizer.encode_batch_fast(list(texts))]


class Renderer:
    """Writes cases as text. ``count_tokens`` is from ``token_counter``; ``panels`` maps a panel's name to its genes.

    A line of the template whose fields are all empty is left out: what an assay cannot know is not written."""

    def __init__(
        self,
        settings: Text,
        vocabulary: Vocabulary,
        count_tokens: Callable[[Sequence[str]], list[int]],
        panels: dict[str, list[str]] | None = None,
    ):
        self.settings = settings
        self._count_tokens = count_tokens
        self._panels = {name: set(genes) for name, genes in (panels or {}).items()}
        self._lines = [(line, _fields_of(line)) for line in settings.template.rstrip().split("\n")]
        self._sees_assays = sees_assays(vocabulary)
        self._genes = vocabulary.names("gene")
        self._listed = {kind: dict.fromkeys(vocabulary.names(kind)) for kind in LISTED}
        self._fused = frozenset(vocabulary.names("fusion_gene"))
        self._amino_acids = [AMINO_ACID_SUBSTITUTIONS.index(name) for name in vocabulary.names("amino_acid")]
        # Completion and end-of-text token are added to the prompt. Special tokens are counted with each text.
        self._room = settings.max_tokens - max(count_tokens(list(completions(settings.completion).values()))) - 1

    def _fields(self, case: dict) -> dict[str, str]:
        substitutions = [case[name] for name in SUBSTITUTIONS]
        fields = {
            "kind": case["kind"] + self._panel_size(case),
            "sex": case["sex"] or "",
            "source": case["source"],
            "burden": str(case["burden"]),
            "spectrum": spectrum(substitutions),
            "shares": shares(substitutions),
            "process": process(case),
            "events": events(case),
            "indels": str(_tenths(case["insertions"] + case["deletions"], max(case["burden"], 1))),
            "amino_acids": _amino_acids(np.asarray(case["amino_acids"]), self._amino_acids, self.settings.amino_acids),
            "labels": " ".join(LABELS),
            "assay": self._assay(case),
            "contexts": alteration_words.contexts(case["sbs96"]),
            "arms": alteration_words.arms(case["arms"]),
            "genes": alteration_words.genes(self._named(case, "amplified"), self._named(case, "deleted")),
            "fusions": alteration_words.fusions(self._named(case, "fusion")),
        }
        if self._sees_assays:
            if not case["counts_known"]:
                # A matrix that comes without mutations is all that is known.
                shown = ("contexts",) if case["panel"] == NOTHING else ()
                fields |= {name: "" for name in _COUNTED_FIELDS if name not in shown}
            fields |= dict.fromkeys(() if case["alleles_known"] else _ALLELE_FIELDS, "")
        return fields

    def _named(self, case: dict, kind: str) -> list[str]:
        """The events of a kind that training knows, of genes the most telling; of fusions also those of a gene that it
        knows fused."""
        found = case[LISTED[kind]]
        if kind != "fusion":
            present = frozenset(found)
            return [name for name in self._listed[kind] if name in present][:_MOST_GENES]
        known = [name for name in found if name in self._listed[kind]]
        others = [name for name in found if name not in known and fused_genes([name]) & self._fused]
        return (known + others)[:_MOST_FUSIONS]

    def _panel_size(self, case: dict) -> str:
        panel = self._panels.get(case["panel"]) if case["panel"] and not self._sees_assays else None
        return "" if panel is None else f", panel of {len(panel)} genes"

    def _assay(self, case: dict) -> str:
        panel = case["panel"]
        if panel == NOTHING:
            return "not sequenced"
        if panel is None or panel not in self._panels:
            return panel if panel in (GENOME, LIST) else EXOME if case["counts_known"] else ""
        return f"panel of {len(self._panels[panel])} genes"

    def _write(self, fields: dict[str, str], mutations: Sequence[str], unsequenced: str) -> str:
        none = UNKNOWN if fields["assay"] == "not sequenced" and self._sees_assays else NO_MUTATION
        fields = fields | {"mutations": (SEPARATOR.join(mutations) or none) + unsequenced}
        lines = [line.format(**fields) for line, names in self._lines if not names or any(fields[n] for n in names)]
        # An empty field (sex is not always known) must not leave a double space.
        return "\n".join(" ".join(part for part in line.split(" ") if part) for line in lines)

    def _unsequenced(self, case: dict) -> str:
        panel = self._panels.get(case["panel"]) if case["panel"] and not self._sees_assays else None
        missing = [gene for gene in self._genes if panel is not None and gene not in panel][:NAMED_UNSEQUENCED]
        return f"; not sequenced: {SEPARATOR.join(missing)}" if missing else ""

    def render(self, cases: pa.Table, variants: pa.Table) -> list[Rendered]:
        """One ``Rendered`` per case, in the order of ``cases`` (from ``features.count``); ``variants`` come from
        ``features.informative_variants``. Raises ``InputError`` when the template alone exceeds the token budget."""
        mutations_of: dict[str, dict[str, None]] = {}
        columns = ("case_id", "gene", "protein_change", "consequence", "recurrent")
        for case_id, *parts in zip(*(variants[name].to_pylist() for name in columns), strict=True):
            mutations_of.setdefault(case_id, {})[mutation(*parts, changes=self.settings.changes)] = None
        rows = cases.to_pylist()
        all_named = [list(mutations_of.get(case["case_id"], {})) for case in rows]
        fields = [self._fields(case) for case in rows]
        unsequenced = [self._unsequenced(case) for case in rows]
        longest = [named[: self.settings.max_mutations] for named in all_named]
        first = [self._write(f, named, u) for f, named, u in zip(fields, longest, unsequenced, strict=True)]
        rendered = []
        for i, tokens in enumerate(self._count_tokens(first) if first else []):
            kept, prompt = longest[i], first[i]
            if tokens > self._room:
                kept, prompt = self._cut(rows[i]["case_id"], fields[i], longest[i], unsequenced[i])
            rendered.append(Rendered(prompt, tuple(kept), len(all_named[i]) - len(kept)))
        return rendered

    def _cut(self, case_id: str, fields: dict[str, str], named: list[str], unsequenced: str) -> tuple[list[str], str]:
        """The largest number of whole mutations that fit, found by bisection, and the prompt with them."""
        fits, too_many = -1, len(named) + 1
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if self._count_tokens([self._write(fields, named[:middle], unsequenced)])[0] <= self._room:
                fits = middle
            else:
                too_many = middle
        if fits < 0:
            shorter = next((fields | {name: ""} for name in _SPARED if fields[name]), None)
            if shorter:
                return self._cut(case_id, shorter, named, unsequenced)
            needed = self._count_tokens([self._write(fields, [], unsequenced)])[0]
            raise InputError(
                f"text.template alone takes {needed} tokens in case {case_id}, but text.max_tokens = "
                f"{self.settings.max_tokens} leaves {self._room}: raise text.max_tokens or shorten the template"
            )
        return named[:fits], self._write(fields, named[:fits], unsequenced)


_COUNTED_FIELDS = ("burden", "spectrum", "shares", "process", "events", "indels", "amino_acids", "contexts")
_ALLELE_FIELDS = ("spectrum", "shares", "process", "events", "indels")
_SPARED = ("amino_acids", "contexts", "genes", "fusions", "arms")
"""What is left out, in this order, where not even the rest fits beside no mutation at all."""


def _fields_of(line: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(line) if name is not None]


def dataset(cases: pa.Table, rendered: list[Rendered], settings: Text) -> pa.Table:
    """The text dataset of ``cases``: case_id, source, split, label, prompt, completion, text, subclass, mutations and
    left_out.

    ``text`` and ``subclass`` are the columns of the original post's datasets. The completion of a case without a label
    is empty.
    """
    answers = completions(settings.completion)
    labels = cases["label"].to_pylist()
    answered = [answers.get(label, "") for label in labels]
    prompts = [r.prompt for r in rendered]
    return pa.table(
        {
            "case_id": pa.array(cases["case_id"].to_pylist(), pa.string()),
            "source": pa.array(cases["source"].to_pylist(), pa.string()),
            "split": pa.array(cases["split"].to_pylist(), pa.string()),
            "label": pa.array(labels, pa.string()),
            "prompt": pa.array(prompts, pa.string()),
            "completion": pa.array(answered, pa.string()),
            "text": pa.array([p + c for p, c in zip(prompts, answered, strict=True)], pa.string()),
            "subclass": pa.array(labels, pa.string()),
            "mutations": pa.array([list(r.mutations) for r in rendered], pa.list_(pa.string())),
            "left_out": pa.array([r.left_out for r in rendered], pa.int32()),
        }
    )
