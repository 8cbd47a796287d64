"""How the process keeps the memory that tensors on a CPU are made in."""

import ctypes
import platform

# malloc.h of glibc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK, _KEPT = 1 << 30, 2**31 - 1


def keep_freed_memory() -> None:
    """Have glibc hand freed blocks of up to 1 GiB out again instead of giving them back to the system.

    A pass through the model frees and wants the same large blocks again and again; each time the system would clear
    every page anew, which took half of the time of a training step on two cores. At most 2 GiB stay so with the
    process. Does nothing where the C library is another one.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
