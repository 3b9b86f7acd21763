"""A real OpenID provider (Canaille) in a process of its own, on a free port of loopback."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx2

FOLDER = Path(__file__).parents[1] / "oidc"
PYTHON = FOLDER / ".venv" / "bin" / "python"
PASSWORDS = {"ada": "countess-of-lovelace", "charles": "difference-engine"}


def is_installed() -> bool:
    """Whether `make test` has made the provider's environment."""
    return PYTHON.exists()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RealOidc:
    """A provider with the users ada and charles and the clients antiphon and another; new keys at every start."""

    def __init__(self, *, algorithm: str = "RS256", expires_in: int = 600) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._options = (algorithm, str(expires_in))
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it (again), and wait until it answers."""
        self._process = subprocess.Popen(
            [str(PYTHON), str(FOLDER / "provider.py"), str(self.port), *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == "ready\n", "the OpenID provider did not start"

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            assert self._process.stdout is not None
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process.stdout.close()
            self._process = None

    def token(self, user: str = "ada", *, client: str = "antiphon") -> str:
        """A token that the provider gives a user for a client."""
        response = httpx2.post(
            f"{self.issuer}/oauth/token",
            data={
                "grant_type": "password",
                "username": user,
                "password": PASSWORDS[user],
                "client_id": client,
                "client_secret": "the-client-s-secret",
                "scope": "openid profile email",
            },
            trust_env=False,
        )
        response.raise_for_status()
        token: str = response.json()["access_token"]
        return token

    def public_keys(self) -> list[dict[str, Any]]:
        """Its keys as it publishes them."""
        about = httpx2.get(f"{self.issuer}/.well-known/openid-configuration", trust_env=False).json()
        keys: list[dict[str, Any]] = httpx2.get(about["jwks_uri"], trust_env=False).json()["keys"]
        return keys
