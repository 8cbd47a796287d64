"""What is counted in a case, which genes and changes are informative, and the matrix that the trees read.

The vocabulary is fitted on the training split only. Everything in the matrix is also available to the text, so the
trees and the language model see the same information.
"""

from ..variants.cases import restrict_to_panel
from .counts import AMINO_ACID_SUBSTITUTIONS, AMINO_ACIDS, COUNTED, count
from .description import described
from .feature_matrix import matrix, sees_assays
from .groups import groups
from .informative import informative_variants
from .lookup import case_rows
from .panels import panels_of, panels_table
from .vocabulary import Vocabulary, fit

__all__ = [
    "AMINO_ACIDS",
    "AMINO_ACID_SUBSTITUTIONS",
    "COUNTED",
    "Vocabulary",
    "case_rows",
    "count",
    "described",
    "fit",
    "groups",
    "informative_variants",
    "matrix",
    "panels_of",
    "panels_table",
    "restrict_to_panel",
    "sees_assays",
]
