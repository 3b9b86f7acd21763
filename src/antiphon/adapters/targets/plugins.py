"""Targets that other packages bring: entry points of the group "antiphon.targets".

Each names a function without arguments that returns a `TargetPlugin`. Packages are trusted as everything is that is
installed beside Antiphon: their code runs in the engine and in its workers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from antiphon.ports.provider import TargetPlugin

GROUP = "antiphon.targets"

log = logging.getLogger("antiphon.targets")


@cache
def installed() -> tuple[EntryPoint, ...]:
    """The entry points of this environment, looked for once: each search reads what all packages say of themselves."""
    return tuple(entry_points(group=GROUP))


def load_plugins(taken: Iterable[str], found: Iterable[EntryPoint] | None = None) -> TargetPlugin:
    """All targets of all plugins together.

    A plugin that cannot be loaded, or brings a target whose name is taken, is left out as a whole, with a line in the
    log: a fault of one package must not take the other targets away.

    Args:
        taken: Names of targets that are there already.
        found: Entry points to load instead of those of this environment.
    """
    names = set(taken)
    together = TargetPlugin({}, {})
    for point in installed() if found is None else found:
        try:
            plugin = point.load()()
            _check(plugin, names)
        except Exception:
            log.exception("the targets of %s (%s) could not be loaded", point.name, point.value)
            continue
        names.update(plugin.drivers)
        together = TargetPlugin({**together.drivers, **plugin.drivers}, {**together.providers, **plugin.providers})
    return together


def _check(plugin: object, names: set[str]) -> None:
    if not isinstance(plugin, TargetPlugin):
        raise TypeError(f"it returned {type(plugin).__name__}, not a TargetPlugin")
    for name, driver in plugin.drivers.items():
        if driver.info.name != name:
            raise ValueError(f"the driver under {name!r} calls itself {driver.info.name!r}")
    clashing = names & set(plugin.drivers)
    if clashing:
        raise ValueError(f"there are targets of that name already: {', '.join(sorted(clashing))}")
    unknown = set(plugin.providers) - set(plugin.drivers)
    if unknown:
        raise ValueError(f"these providers have no driver that plans for them: {', '.join(sorted(unknown))}")
