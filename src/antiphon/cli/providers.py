"""`antiphon providers`: other vendors' targets, each behind its own SDK in an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon.cli.command import command
from antiphon.cli.shell import Shell
from antiphon.errors import NotFoundError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from antiphon.adapters.targets.vendors.settings import Vendor

HELP = "Other vendors' targets: Azure Quantum, IBM, Amazon Braket, IonQ, IQM."
app = typer.Typer(help=HELP, invoke_without_command=True)

VendorName = Annotated[str, typer.Argument(metavar="NAME", help="azure, ibm, braket, ionq or iqm.", show_default=False)]


@app.callback(invoke_without_command=True)
@command
def _bare(shell: Shell) -> None:
    """Other vendors' targets: Azure Quantum, IBM, Amazon Braket, IonQ, IQM. Alone, it lists."""
    _list(shell)


@app.command("list")
@command
def list_all(shell: Shell) -> None:
    """List the vendors: which are configured, installed and checked."""
    _list(shell)


@app.command("install")
@command
def install(shell: Shell, name: VendorName) -> None:
    """Make the vendor's environment, and write its section of providers.toml if there is none."""
    from antiphon.adapters.targets.vendors import environments
    from antiphon.adapters.targets.vendors.settings import FILE, read_settings

    vendor, home = _vendor(name), _home(shell)
    configured = read_settings(home)
    if name not in configured:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = home / FILE
        before = path.read_text() + "\n" if path.exists() else ""
        path.write_text(before + vendor.example)
        configured = read_settings(home)
        shell.note(f"Wrote \\[{name}] into {path}: see whether it says what you want.")
    settings = configured[name]
    shell.note(f"Installing {vendor.title} into {settings.environment} …")
    environments.install(name, settings.environment)
    data = {"vendor": name, "environment": str(settings.environment), "settings": str(home / FILE)}
    shell.data(data, lambda: f"Installed. Now ask it for its devices: {shell.command(f'providers check {name}')}")


@app.command("check")
@command
def check(shell: Shell, name: VendorName) -> None:
    """Start the vendor's process, ask it for its devices, and make targets of them."""
    from antiphon.adapters.targets.vendors import loading
    from antiphon.adapters.targets.vendors.settings import FILE, read_settings
    from antiphon.composition import build_secrets

    vendor, home = _vendor(name), _home(shell)
    settings = read_settings(home).get(name)
    if settings is None:
        raise NotFoundError(
            f"{vendor.title} is not configured in {home / FILE}.",
            next_step=f"Run `antiphon providers install {name}`.",
        )
    told = loading.check(settings, lambda: build_secrets(home))
    shell.data({"log": str(settings.log_file), **told}, lambda: _devices(name, told["devices"]))
    shell.note(
        f"These are targets now; what is running already sees them when it is started again. Log: {settings.log_file}"
    )


def _list(shell: Shell) -> None:
    from antiphon.adapters.targets.vendors.loading import read_devices
    from antiphon.adapters.targets.vendors.settings import VENDORS, default_folder, read_settings

    home = _home(shell)
    configured = read_settings(home)
    rows: list[dict[str, Any]] = []
    for name, vendor in VENDORS.items():
        settings = configured.get(name)
        row: dict[str, Any] = {"name": name, "title": vendor.title, "mode": None, "checked_at": None, "targets": []}
        python = default_folder(home, name) / "environment" / "bin" / "python" if settings is None else settings.python
        row["installed"] = python.exists()
        if settings is not None:
            row["mode"] = settings.mode
            try:
                row["targets"] = [f"{name}.{device['name']}" for device in read_devices(settings)["devices"]]
                row["checked_at"] = settings.devices_file.stat().st_mtime
            except (OSError, ValueError):
                pass  # it was not checked
        rows.append(row)
    shell.data(rows, lambda: _vendors(rows))


def _vendor(name: str) -> Vendor:
    from antiphon.adapters.targets.vendors.settings import VENDORS

    vendor = VENDORS.get(name)
    if vendor is None:
        raise NotFoundError(f"There is no vendor {name!r}.", next_step=f"Choose one of {', '.join(VENDORS)}.")
    return vendor


def _home(shell: Shell) -> Path:
    from antiphon.composition import default_home

    return (shell.home or default_home()).absolute()


def _vendors(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    from rich.table import Table

    from antiphon.cli.tables import age

    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("name", "installed", "mode", "checked", "targets", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for row in rows:
        checked = "-" if row["checked_at"] is None else age(row["checked_at"])
        targets = str(len(row["targets"])) if row["checked_at"] is not None else "-"
        installed = "yes" if row["installed"] else "no"
        table.add_row(row["name"], installed, row["mode"] or "-", checked, targets, row["title"])
    return table


def _devices(name: str, devices: Sequence[Mapping[str, Any]]) -> RenderableType:
    from rich.table import Table

    from antiphon.cli.tables import status_text

    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("target", overflow="fold")
    for heading in ("kind", "qubits", "profile", "shots", "status"):
        table.add_column(heading, no_wrap=True)
    for device in devices:
        table.add_row(
            f"{name}.{device['name']}",
            device["kind"],
            str(device["qubits"]),
            device["profile"],
            f"{device['max_shots']:,}",
            status_text(device.get("status", "Available")),
        )
    return table
