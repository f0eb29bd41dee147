"""Keep freed memory in the process, for programs that move large values.

glibc gives every freed large buffer back to the kernel, and a virtual machine pays for each page when it is
taken again: dividing 1 MiB ran at 69 MB/s instead of 265 for this reason alone (docs/PERFORMANCE.md). Buffers
up to 4 MiB, the segments that values are worked on in, therefore stay; larger ones go back at once.
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h
_KEPT_BUFFER_BYTES = 4 * 1024 * 1024
_KEPT_BYTES = 64 * 1024 * 1024
_ARENAS = 2
"""More arenas would each keep their own memory."""


def keep_freed_memory() -> None:
    """Tell glibc; elsewhere there is nothing to tell. For whole programs, at their start."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BUFFER_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)
