"""What a stage does when it is asked to end."""

import ctypes
import os
import signal
import threading
from contextlib import suppress
from types import FrameType

_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG`` of Linux's prctl."""


def end_cleanly() -> None:
    """Make SIGTERM end this process as an exception does, so that half-written files are removed; exit status 143.

    A stage that DVC started on Linux also gets SIGTERM when DVC itself is ended, instead of running on unseen.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, _exit)
    # DVC sets this variable. A stage that a person starts with nohup outlives its shell.
    if "DVC_STAGE" in os.environ:
        # Other systems than Linux lack prctl.
        with suppress(AttributeError):
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _exit(number: int, frame: FrameType | None) -> None:
    # A second signal while files are being removed must not interrupt that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)
