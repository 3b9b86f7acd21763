"""What this machine gives to workers: processors this process may use, and memory that is free."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

_SHARE_FOR_WORKERS = 0.8
_CGROUP = Path("/sys/fs/cgroup")


def usable_processors() -> int:
    """Processors this process is allowed on; a container or `taskset` may allow fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_for_each_worker(max_workers: int) -> int:
    """Four fifths of the memory available now, of the machine or of the container if that is less, in equal parts."""
    available = psutil.virtual_memory().available
    with suppress(OSError, ValueError):  # no cgroup v2, or "max"
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        available = min(available, max(limit - used, 0))
    return int(available * _SHARE_FOR_WORKERS) // max_workers
