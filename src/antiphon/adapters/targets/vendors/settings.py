"""`providers.toml` in a home: which vendors are used, in which mode, and under which names their secrets lie."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from antiphon.errors import SettingsError

FILE = "providers.toml"

_OURS = frozenset({"secrets", "slots", "environment", "send_timeout_s"})
MOST_SEND_S = 600.0


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor that Antiphon comes with: what its settings and its secrets may be called.

    Attributes:
        modes: The first is the default.
        settings: Of its section, beside those that every vendor has.
        secrets: What it is given if a name is set for it.
        example: Its section as `antiphon providers install` writes it.
    """

    name: str
    title: str
    modes: tuple[str, ...]
    settings: frozenset[str]
    secrets: frozenset[str]
    example: str


VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            "azure",
            "Azure Quantum, or another Antiphon (azure-quantum)",
            ("antiphon", "live"),
            frozenset({"url", "workspace", "resource_id", "location"}),
            frozenset({"api_key"}),
            """[azure]
mode = "antiphon"                  # another Antiphon server; "live" is Azure itself: then resource_id and location
url = "http://127.0.0.1:8000"      # where its `antiphon serve --azure` listens
workspace = "default"
targets = ["sim.auto"]             # leave it out for all

[azure.secrets]
api_key = "provider.azure.key"     # the name of a secret: see docs/howto/azure-provider.md
""",
        ),
        Vendor(
            "ibm",
            "IBM Quantum (qiskit-ibm-runtime)",
            ("local", "live"),
            frozenset({"channel", "instance"}),
            frozenset({"token"}),
            """[ibm]
mode = "local"                     # IBM's fake backends in a process here; "live" is the service
targets = ["fake_manila"]          # fake_fez and others: see docs/howto/ibm.md

# [ibm.secrets]
# token = "provider.ibm.token"
""",
        ),
        Vendor(
            "braket",
            "Amazon Braket (amazon-braket-sdk)",
            ("local", "live"),
            frozenset({"region", "bucket", "prefix", "endpoint"}),
            frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}),
            """[braket]
mode = "local"                     # the SDK's simulator here; "live" is the service: then region and bucket
targets = ["braket_sv"]

# [braket.secrets]                 # leave them out to have AWS find its own
# aws_access_key_id = "provider.braket.key-id"
# aws_secret_access_key = "provider.braket.key"
""",
        ),
        Vendor(
            "ionq",
            "IonQ (qiskit-ionq)",
            ("live",),
            frozenset({"url", "settle_s"}),
            frozenset({"api_key"}),
            """[ionq]
mode = "live"                      # IonQ's service; there is no mode without it
targets = ["simulator"]            # leave it out for all: qpu.forte-1 and others

[ionq.secrets]
api_key = "provider.ionq.key"      # the name of a secret: see docs/howto/ionq.md
""",
        ),
        Vendor(
            "iqm",
            "IQM (iqm-client)",
            ("local", "live"),
            frozenset({"url", "quantum_computer", "metrics"}),
            frozenset({"token"}),
            """[iqm]
mode = "local"                     # IQM's fake backends in a process here; "live" is a server: then url
targets = ["fake_adonis"]          # fake_garnet and others: see docs/howto/iqm.md

# [iqm.secrets]
# token = "provider.iqm.token"
""",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class VendorSettings:
    """One section of the file.

    Attributes:
        secrets: Name of each secret in the places that secrets come from, by what the vendor calls it.
        environment: Folder of the Python environment with the vendor's SDK.
        slots: Jobs at the vendor at a time, for each of its targets.
        send_timeout_s: How long handing a job over may last.
        for_process: What the vendor's process is told.
    """

    vendor: str
    mode: str
    secrets: Mapping[str, str]
    environment: Path
    folder: Path
    slots: int = 4
    send_timeout_s: float = 120.0
    for_process: Mapping[str, Any] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return self.environment / "bin" / "python"

    @property
    def devices_file(self) -> Path:
        """What the vendor told of its devices when it was checked last."""
        return self.folder / "devices.json"

    @property
    def log_file(self) -> Path:
        """What its process prints."""
        return self.folder / "stderr.log"


def read_settings(home: Path) -> dict[str, VendorSettings]:
    """The vendors that are configured, by name; none where there is no file.

    Raises:
        SettingsError: The file is no TOML, or holds what nobody would read.
    """
    path = home / FILE
    try:
        sections = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read.", cause=str(error), next_step="Correct it, or move it away."
        ) from None
    return {name: _section(path, name, section) for name, section in sections.items()}


def default_folder(home: Path, vendor: str) -> Path:
    """Where a vendor's environment and what it told lie."""
    return home / "providers" / vendor


def _section(path: Path, name: str, section: Any) -> VendorSettings:
    vendor = VENDORS.get(name)
    if vendor is None or not isinstance(section, dict):
        raise _wrong(path, f"[{name}] is no vendor", f"Use {', '.join(f'[{each}]' for each in VENDORS)}.")
    known = _OURS | vendor.settings | {"mode", "targets"}
    unknown = sorted(set(section) - known)
    if unknown:
        raise _wrong(path, f"[{name}] has no setting {unknown[0]!r}", f"It may have {', '.join(sorted(known))}.")
    mode = section.get("mode", vendor.modes[0])
    if mode not in vendor.modes:
        raise _wrong(path, f"mode of [{name}] is {mode!r}", f"Use {' or '.join(vendor.modes)}.")
    secrets = section.get("secrets", {})
    if not isinstance(secrets, dict) or set(secrets) - vendor.secrets:
        raise _wrong(
            path, f"[{name}.secrets] names what {name} does not take", f"It takes {', '.join(sorted(vendor.secrets))}."
        )
    targets = section.get("targets")
    if targets is not None and not (isinstance(targets, list) and all(isinstance(each, str) for each in targets)):
        raise _wrong(
            path, f"targets of [{name}] is no list of names", 'Write targets = ["…"], or leave it out for all.'
        )
    slots, timeout = section.get("slots", 4), section.get("send_timeout_s", 120.0)
    if not isinstance(slots, int) or isinstance(slots, bool) or slots < 1:
        raise _wrong(path, f"slots of [{name}] is {slots!r}", "Give a whole number from 1.")
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 < timeout <= MOST_SEND_S:
        raise _wrong(path, f"send_timeout_s of [{name}] is {timeout!r}", f"Give seconds, at most {MOST_SEND_S:g}.")
    folder = default_folder(path.parent, name)
    return VendorSettings(
        vendor=name,
        mode=mode,
        secrets=secrets,
        environment=Path(section["environment"]) if "environment" in section else folder / "environment",
        folder=folder,
        slots=slots,
        send_timeout_s=float(timeout),
        for_process={"mode": mode, **{key: value for key, value in section.items() if key not in _OURS}},
    )


def _wrong(path: Path, cause: str, next_step: str) -> SettingsError:
    return SettingsError(f"{path} is wrong.", cause=cause, next_step=next_step)
