"""The 26 labels (TCGA Firehose cohort names), their names and their families."""

from ..package_data import rows as _rows

_ROWS = _rows("labels", "labels.csv")

LABELS: tuple[str, ...] = tuple(row["label"] for row in _ROWS)
"""The 26 labels in the project's fixed order: every probability vector and matrix follows it."""

NAMES: dict[str, str] = {row["label"]: row["name"] for row in _ROWS}
"""Label to the cancer's name in words."""

WORDS: dict[str, str] = {row["label"]: row["word"] for row in _ROWS}
"""Label to one English word that is a single token in Gemma's tokenizer."""

FAMILY_OF: dict[str, str] = {row["label"]: row["family"] for row in _ROWS}
"""Label to its family: KIRC is in KIPAN, LGG is in GBMLGG, every other label is its own family."""

FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(row["family"] for row in _ROWS))
"""The 24 families in order of first appearance."""
