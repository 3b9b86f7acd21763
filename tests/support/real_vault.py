"""A real Vault (OpenBao's development server) in a process of its own, in memory, on a free port of loopback."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from real_oidc import free_port

PROGRAM = Path(__file__).parents[1] / "vault" / ".venv" / "bin" / "bao"
ROOT = "root-of-the-tests"


def is_installed() -> bool:
    """Whether `make test` has made the Vault's environment."""
    return PROGRAM.exists()


class RealVault:
    """A Vault with an empty key-value engine called `secret`."""

    def __init__(self) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._home = tempfile.TemporaryDirectory(prefix="antiphon-vault-")
        self._process = subprocess.Popen(
            [
                str(PROGRAM), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}",
                f"-dev-listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"HOME": self._home.name},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._is_ready():
            assert self._process.poll() is None, "the Vault did not start"
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def put(self, path: str, **fields: Any) -> None:
        """Store a secret's fields, as a new version."""
        self.call("POST", f"secret/data/{path}", {"data": fields})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any request of its API, as root."""
        answer = httpx2.request(
            method, f"{self.address}/v1/{path}", json=body, headers={"X-Vault-Token": ROOT}, trust_env=False
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=20)
        self._home.cleanup()

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/v1/sys/health", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False
