"""Draws the device of docs/explanation/emulated-devices.md: `python docs/pictures/make_device.py`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from antiphon import Workspace

HERE = Path(__file__).resolve().parent


def main() -> None:
    """As a user does, from the newest calibration."""
    with TemporaryDirectory() as folder, Workspace(folder) as ws:
        ws.target("emu.heron").draw().save(HERE / "heron.svg")


if __name__ == "__main__":
    main()
