"""Environments of vendors: each SDK with its own pins in a folder of its own, made by uv from the lock that we ship."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from antiphon.adapters.targets.vendors.process import PROCESSES
from antiphon.errors import MissingExtraError, SettingsError

MOST_SECONDS = 900


def project(vendor: str) -> Path:
    """The folder with the vendor's pyproject.toml and uv.lock."""
    return PROCESSES / "vendor_process" / vendor


def find_uv() -> str:
    """The uv to call: beside this interpreter, or on the path.

    Raises:
        MissingExtraError: There is none.
    """
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise MissingExtraError(
            "Making a vendor's environment needs uv, which is not installed.",
            next_step="Install it with `pip install uv`, or see https://docs.astral.sh/uv.",
            details={"package": "uv"},
        )
    return found


def install(vendor: str, environment: Path) -> None:
    """Make the environment exactly as the lock file says; quick where it is so already.

    Raises:
        MissingExtraError: There is no uv.
        SettingsError: uv could not make it (code "provider-install"); the cause ends with what it said.
    """
    command = [find_uv(), "sync", "--project", str(project(vendor)), "--frozen", "--quiet", "--python", sys.executable]
    environ = {"UV_PROJECT_ENVIRONMENT": str(environment.absolute())}
    environment.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        ran = subprocess.run(  # noqa: S603 - uv, with arguments of ours
            command, env=_environ() | environ, capture_output=True, text=True, timeout=MOST_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise _failed(vendor, f"it took longer than {MOST_SECONDS} s") from None
    if ran.returncode != 0:
        raise _failed(vendor, ran.stderr.strip()[-2_000:])


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}


def _failed(vendor: str, cause: str) -> SettingsError:
    return SettingsError(
        f"The environment of {vendor} could not be made.",
        code="provider-install",
        cause=cause,
        next_step="See to the network or the disk, and run it again.",
    )
