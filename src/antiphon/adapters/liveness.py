"""Liveness of engine processes on this host, told by process id and start time (a reused id does not fool it)."""

from __future__ import annotations

import os
import socket

import psutil

from antiphon.ports.job_store import EngineLease


class ProcessLiveness:
    """Looks into this host's process table."""

    def __init__(self) -> None:
        boot = f"{psutil.boot_time():.0f}"
        self._host = f"{socket.gethostname()}/{boot}"

    def describe_self(self) -> tuple[str, int, float]:
        """This process as (host and boot time, process id, start time)."""
        pid = os.getpid()
        return self._host, pid, psutil.Process(pid).create_time()

    def is_dead(self, lease: EngineLease) -> bool:
        """True when the process ran on this host and boot, and is gone or a zombie."""
        if lease.host != self._host:
            return False
        try:
            process = psutil.Process(lease.pid)
            same = abs(process.create_time() - lease.process_started_at) < 1.0
            return not same or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False
