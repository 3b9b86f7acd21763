"""Workspaces with a vendor's targets, whose SDK runs in an environment that `make test` has made."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from antiphon import Workspace
from antiphon.adapters.targets.vendors import loading
from antiphon.adapters.targets.vendors.process import VendorProcess
from antiphon.adapters.targets.vendors.settings import FILE, read_settings
from antiphon.client.embedded import EmbeddedConnection
from antiphon.composition import build_secrets

ENVIRONMENTS = Path(__file__).parents[1] / "vendors" / ".environments"
PATIENCE_S = 120.0


def environment_of(vendor: str) -> Path:
    """The environment of a vendor; skips what asks for it where there is none."""
    found = ENVIRONMENTS / vendor
    if not (found / ".installed").exists():
        pytest.skip(f"SKIPPED: the environment of {vendor} is not installed (make test makes it)")
    return found


class Lab:
    """A folder whose `providers.toml` has one vendor, and the workspace on it."""

    def __init__(self, folder: Path, vendor: str, section: str) -> None:
        self.folder, self.vendor = folder, vendor
        folder.mkdir(parents=True, exist_ok=True)
        environment = f'environment = "{environment_of(vendor)}"\n'
        (folder / FILE).write_text(f"[{vendor}]\n{environment}{section}")
        self.told = loading.check(read_settings(folder)[vendor], lambda: build_secrets(folder))
        self.ws = Workspace(folder, workers=1)

    @property
    def process(self) -> psutil.Process:
        """The vendor's process; only once something was asked of it."""
        (found,) = [child for child in psutil.Process().children() if self._is_ours(child)]
        return found

    def kill(self) -> None:
        """As the kernel would, at whatever it is doing."""
        victim = self.process
        victim.kill()
        victim.wait(PATIENCE_S)

    def close(self) -> None:
        self.ws.close()

    def _is_ours(self, child: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            line = child.cmdline()
            return line[-2:] == ["vendor_process", self.vendor] and child.status() != psutil.STATUS_ZOMBIE
        return False


def process_of(opened: Lab, target: str) -> VendorProcess:
    """What a lab's workspace speaks to its vendor through."""
    connection = opened.ws._connection
    assert isinstance(connection, EmbeddedConnection)
    process = connection._engine.ctx.providers[target].inner._process  # type: ignore[attr-defined]
    assert isinstance(process, VendorProcess)
    return process


@contextlib.contextmanager
def lab(folder: Path, vendor: str, section: str) -> Iterator[Lab]:
    """A lab for the block."""
    opened = Lab(folder, vendor, section)
    try:
        yield opened
    finally:
        opened.close()


def azure_section(folder: Path, url: str, key: str, targets: str = '["sim.auto", "sim.statevector"]') -> str:
    """The section of the settings for a server of ours, with the key where secrets lie."""
    return f'mode = "antiphon"\nurl = "{url}"\ntargets = {targets}\nsend_timeout_s = 5\n' + _secret(
        folder, "azure", "api_key", key
    )


def ionq_section(folder: Path, url: str, key: str) -> str:
    """The same for what stands in for IonQ."""
    return f'mode = "live"\nurl = "{url}"\nsettle_s = 1\nsend_timeout_s = 6\n' + _secret(folder, "ionq", "api_key", key)


def _secret(folder: Path, vendor: str, called: str, text: str) -> str:
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, mode=0o700)
    name = f"provider.{vendor}.key"
    (secrets / name).write_text(text)
    (secrets / name).chmod(0o600)
    return f'[{vendor}.secrets]\n{called} = "{name}"\n'


def wait_until(holds: Callable[[], Any]) -> None:
    """Until it holds; fails when it never does."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


QUIET = frozenset({"provider unreachable", "provider reached", "started at provider"})


def log_of(job: Any) -> list[str]:
    """The events of a job, those left out that say how long a vendor was silent, or that it began."""
    return [event["event"] for event in job.events if event["event"] not in QUIET]


def states_of(job: Any) -> list[str]:
    """How the lines of its ledger stand."""
    return [line["state"] for line in job.record["submissions"]]
