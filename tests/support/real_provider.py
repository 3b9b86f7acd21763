"""A real counting provider in a process of its own, that can be killed and started again, and the plugin for others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

SUPPORT = Path(__file__).parent


class RealProvider:
    """One provider; the same file and, once known, the same port each time it starts.

    Attributes:
        mode: What it can tell of a key: "key", "listing" or "neither".
    """

    def __init__(self, folder: Path, mode: str = "key") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.mode = folder, mode
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; returns when it listens."""
        if self._process is not None:
            self.kill()
        self._process = subprocess.Popen(
            [sys.executable, str(SUPPORT / "counting_service.py"), str(self.folder), str(self._port), self.mode],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "QDK_PYTHON_TELEMETRY": "none"},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the counting provider did not start"
        self._port = int(line)

    def kill(self) -> None:
        """As the kernel would, at whatever it is doing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def control(self, **what: Any) -> None:
        """Set `faults` (route to fault to chance), `seed`, `paused`, `run_s` or `fail` (keys)."""
        httpx2.post(f"{self.url}/control", json=what, timeout=30, trust_env=False).raise_for_status()

    def sums(self) -> dict[str, Any]:
        """What it counted."""
        found: dict[str, Any] = httpx2.get(f"{self.url}/sums", timeout=30, trust_env=False).json()
        return found

    def environment(self, folder: Path, slots: int = 16) -> Mapping[str, str]:
        """What makes other processes find it: a package of its own on their path, as pip would have installed it."""
        info = folder / "counting_provider-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting-provider\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[antiphon.targets]\ncounting = counting_provider:targets\n")
        return {
            "PYTHONPATH": os.pathsep.join([str(SUPPORT), str(folder)]),
            "COUNTING_PROVIDER": f"{self.url} {self.mode} {slots}",
        }
