"""Which devices of a folder live, and how: given once and remembered there, as their queues and jobs are there too."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeGuard

from antiphon.adapters.targets.emu_life.device import PlainDevice
from antiphon.adapters.targets.emu_life.driver import LivingDriver
from antiphon.adapters.targets.emu_life.provider import LivingProvider
from antiphon.domain.policies.life import LivingDevice, StillDevice
from antiphon.errors import LimitError, NotFoundError, StoreError
from antiphon.ports.clock import Clock
from antiphon.ports.executor import Executor
from antiphon.ports.provider import Provider, TargetPlugin
from antiphon.ports.target_driver import TargetDriver

log = logging.getLogger("antiphon.targets")

FOLDER = "devices"
FILE = "lives.json"


def give_lives(
    drivers: Mapping[str, TargetDriver],
    given: Iterable[LivingDevice | StillDevice],
    home: Path,
    clock: Clock,
    executor: Executor,
) -> TargetPlugin:
    """Drivers and providers of the devices that live in a folder, to take the place of those that do not.

    Args:
        given: Devices that live from now on, or no more; that is written down.

    Raises:
        NotFoundError: A given target is none, or cannot live (code "life-not-possible").
        StoreError: The files of the folder cannot be used.
    """
    given = list(given)
    for each in given:
        if isinstance(each, LivingDevice) and not _can_live(drivers.get(each.target)):
            raise NotFoundError(
                f"{each.target} is no device that can live.",
                code="life-not-possible",
                next_step="Give a life to an emulated device: antiphon targets list shows them as emulators.",
            )
    file = home / FOLDER / FILE
    known = _read(file)
    living = dict(known)
    for each in given:
        if isinstance(each, LivingDevice):
            living[each.target] = each
        else:
            living.pop(each.target, None)
    if living != known:
        _write(file, living)
    alive: dict[str, TargetDriver] = {}
    providers: dict[str, Provider] = {}
    for each in living.values():
        plain = drivers.get(each.target)
        if not _can_live(plain):
            log.warning("%s lives in this folder, and is no target of this installation", each.target)
            continue
        driver = LivingDriver(plain, each, clock)
        alive[each.target] = driver
        providers[each.target] = LivingProvider(driver, home / FOLDER / f"{each.target}.db", clock, executor)
    return TargetPlugin(alive, providers)


def _can_live(driver: TargetDriver | None) -> TypeGuard[PlainDevice]:
    return hasattr(driver, "plan_under")


def _read(file: Path) -> dict[str, LivingDevice]:
    try:
        if not file.exists():
            return {}
        found = [LivingDevice.from_json(each) for each in json.loads(file.read_text())["devices"]]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError, LimitError) as error:
        raise StoreError(
            f"The file {file} cannot be read.",
            code="lives-unreadable",
            cause=f"{type(error).__name__}: {error}",
            next_step="Delete it: the devices then stand still until they are given a life again.",
        ) from None
    return {each.target: each for each in found}


def _write(file: Path, living: Mapping[str, LivingDevice]) -> None:
    text = json.dumps({"devices": [each.to_json() for each in living.values()]}, indent=1)
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_text(text)
        new.replace(file)
    except OSError as error:
        raise StoreError(
            f"The file {file} cannot be written.",
            code="lives-unwritable",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Check that the folder can be written.",
        ) from None
