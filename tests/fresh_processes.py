"""Processes that have the libraries loaded already, for what must be killed or limited: they start in no time."""

import multiprocessing
from multiprocessing.context import ForkServerContext

PRELOADED = (
    "cancertype.finetune.trl",
    "cancertype.finetune.run",
    "cancertype.reports.data_report",
    "cancertype.reports.evaluation_report",
    "datasets",
    "stages.evaluate",
    "stages.featurize",
    "stages.fetch_base",
    "stages.publish",
    "stages.score",
    "stages.tabular",
)
"""One list for all tests, because the server that forks them is started once per session."""


def forkserver() -> ForkServerContext:
    """The context whose ``Process`` is forked from a server that has imported ``PRELOADED``."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context
