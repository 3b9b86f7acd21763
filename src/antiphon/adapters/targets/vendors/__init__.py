"""Targets of other vendors, each through its own SDK in its own environment and process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from antiphon.ports.provider import TargetPlugin
from antiphon.ports.secrets import SecretSource


def build_vendors(home: Path, secrets: Callable[[], SecretSource]) -> TargetPlugin:
    """The targets that `providers.toml` in `home` configures, as their vendors described them when checked last.

    Starts no process, and imports nothing of any vendor; none for a home without the file.

    Args:
        secrets: Where secrets come from; asked when a vendor's process starts.
    """
    from antiphon.adapters.targets.vendors.settings import FILE

    if not (home / FILE).exists():
        return TargetPlugin({}, {})
    from antiphon.adapters.targets.vendors.loading import load

    return load(home, secrets)
