"""From `providers.toml` to targets, and what a vendor tells of its devices to the file that says so next time."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from antiphon.adapters.targets.vendors.assessing import VendorDevice
from antiphon.adapters.targets.vendors.driver import VendorDriver
from antiphon.adapters.targets.vendors.process import Launch, VendorProcess
from antiphon.adapters.targets.vendors.provider import VendorProvider
from antiphon.adapters.targets.vendors.settings import VendorSettings, read_settings
from antiphon.adapters.targets.vendors.snapshots import Snapshots
from antiphon.errors import AntiphonError, SecretError
from antiphon.ports.provider import TargetPlugin
from antiphon.ports.secrets import SecretSource

LONGEST_NAME = 200

log = logging.getLogger("antiphon.vendors")


def load(home: Path, secrets: Callable[[], SecretSource]) -> TargetPlugin:
    """Every target of every vendor that was checked; the others are left out, with a line in the log."""
    try:
        configured = read_settings(home)
    except AntiphonError as error:
        log.error("no vendor's targets: %s", str(error))  # noqa: TRY400 - the text says all of it
        return TargetPlugin({}, {})
    drivers: dict[str, VendorDriver] = {}
    providers: dict[str, VendorProvider] = {}
    for name, settings in configured.items():
        try:
            told = read_devices(settings)
        except (OSError, ValueError) as error:
            why = "it was not checked" if isinstance(error, FileNotFoundError) else str(error)
            log.warning("no targets of %s: %s; run `antiphon providers check %s`", name, why, name)
            continue
        process = VendorProcess(launch_of(settings, secrets))
        for device in told["devices"]:
            try:
                driver = _driver(told, device, settings, process)
                check_name(driver.info.name)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                log.warning("a device of %s is left out, it is described wrongly: %.200r", name, error)
                continue
            drivers[driver.info.name] = driver
            providers[driver.info.name] = VendorProvider(process, name, device, settings.send_timeout_s)
    return TargetPlugin(drivers, providers)


def _driver(
    told: Mapping[str, Any], device: Mapping[str, Any], settings: VendorSettings, process: VendorProcess
) -> VendorDriver:
    """The driver of a device; with its calibrations where its vendor publishes them and compiles here."""
    given = (settings.vendor, told.get("sdk") or {}, device, settings.slots)
    if not device.get("assesses"):
        return VendorDriver(*given)
    name = device["name"]
    check_name(name)
    path = settings.folder / "calibrations" / f"{name}.jsonl"

    def published() -> Mapping[str, Any] | None:
        calibration: Mapping[str, Any] | None = process.call("calibration", device=name)["calibration"]
        return calibration

    def compiling(program: Mapping[str, Any]) -> Mapping[str, Any]:
        return process.call("compile", device=name, program=dict(program), options={})

    return VendorDevice(*given, compiling=compiling, snapshots=Snapshots(path, published))


def check_name(name: str) -> None:
    """What a vendor calls a device is shown in terminals and stands in addresses: ValueError where it cannot."""
    if not (len(name) <= LONGEST_NAME and name.isprintable() and not set(name) & set("/\\?#% ")):
        raise ValueError(f"{name[:LONGEST_NAME]!r} is no name of a target")


def launch_of(settings: VendorSettings, secrets: Callable[[], SecretSource]) -> Launch:
    """How the process of a vendor is started."""
    return Launch(
        vendor=settings.vendor,
        python=settings.python,
        settings=settings.for_process,
        secrets=partial(_secrets, settings, secrets),
        stderr=settings.log_file,
    )


def check(settings: VendorSettings, secrets: Callable[[], SecretSource]) -> dict[str, Any]:
    """Start the process once, keep what it tells of its devices, and return that.

    Raises:
        TransientProviderError, RefusedByProviderError: It cannot be started, or says no.
    """
    process = VendorProcess(launch_of(settings, secrets))
    try:
        told = process.hello()
    finally:
        process.close()
    _write(settings.devices_file, json.dumps(told, indent=1))
    return told


def read_devices(settings: VendorSettings) -> dict[str, Any]:
    """What the vendor told when it was checked last.

    Raises:
        OSError, ValueError: There is none, or it is no such file.
    """
    told = json.loads(settings.devices_file.read_text())
    if not isinstance(told, dict) or not isinstance(told.get("devices"), list):
        raise ValueError(f"{settings.devices_file} does not list devices")  # noqa: TRY004 - a file's content
    return told


def _secrets(settings: VendorSettings, secrets: Callable[[], SecretSource]) -> Mapping[str, str]:
    if not settings.secrets:
        return {}
    source = secrets()
    found = {}
    for name, key in settings.secrets.items():
        secret = source.get(key)
        if secret is None:
            raise SecretError(
                f"There is no secret {key!r}, which {settings.vendor} needs as its {name}.",
                code="secret-missing",
                next_step="Put it into the environment, the folder of secrets, the keyring or Vault.",
                details={"secret": key},
            )
        found[name] = secret.reveal()
    return found


def _write(path: Path, text: str) -> None:
    """Whole or not at all: another process may be reading it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)  # noqa: PTH105 - atomic, as pathlib's is
