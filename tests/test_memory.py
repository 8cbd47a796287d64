"""Memory that is freed and asked for again."""

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import ctypes, resource, sys
from cancertype.language_model.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
libc, size = ctypes.CDLL(None), ctypes.c_size_t(48 << 20)
libc.malloc.restype = ctypes.c_void_p
def use():
    memory = ctypes.c_void_p(libc.malloc(size))
    libc.memset(memory, 1, size)
    libc.free(memory)
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_memory_that_is_kept_is_not_filled_with_zeros_again():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", _FAULTS, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    # Ten times 48 MiB in pages of 4 kB, or of 2 MB where the system gives huge ones, against none at all.
    assert faults("given back") >= 10 * 24
    assert faults("kept") < 24
