"""Whether this machine has a GPU that simulates faster than its processor, and from which width on.

Nothing of CUDA is loaded into this process to find out: a short-lived one measures, once for a machine, and what it
found is kept in the user's cache folder until a driver, a device or a package changes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import platformdirs

from antiphon.adapters.targets.sim.demand import Choice
from antiphon.adapters.targets.sim.engines.gpu_probe import NARROWEST, NO_DEVICE

WAKING_SECONDS = 2.0
"""Making the CUDA context in a fresh worker."""
HOST_BYTES = 512 * 2**20
"""What the driver's libraries take of the host's memory, whatever the width."""

_PROBE_SECONDS = 120.0
_BOOT = (
    "import sys; sys.path[:] = sys.argv[1:]; from antiphon.adapters.targets.sim.engines.gpu_probe import main; main()"
)
_DRIVER = Path("/proc/driver/nvidia")
_DEVICES = Path("/dev")


@dataclass(frozen=True, slots=True)
class Measured:
    """States of one precision on the GPU.

    Attributes:
        from_qubits: From here on it is faster than the processor; None when it never was.
        most_qubits: The widest state that its memory holds.
        gate_s: Seconds a gate takes however narrow the state.
        amplitude_s: Seconds a gate takes more for each amplitude.
    """

    from_qubits: int | None
    most_qubits: int
    gate_s: float
    amplitude_s: float


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that passed its self-test; or, with a `why`, the reason that there is none to use."""

    why: str = ""
    single: Measured | None = None
    double: Measured | None = None

    def of(self, precision: str) -> Measured | None:
        """What was measured for "single" or "double"; None without a usable GPU."""
        return self.single if precision == "single" else self.double

    def better(self, width: int, precision: str) -> bool:
        """Whether a state of `width` qubits is faster there, and fits."""
        found = self.of(precision)
        return found is not None and found.from_qubits is not None and found.from_qubits <= width <= found.most_qubits


def choice(engine: str, what: str, width: int, precision: str, *, against: float, gates: float) -> Choice | None:
    """`engine` on the GPU, where that was measured faster for states of that width and precision.

    Args:
        engine: Its name.
        what: What is to be run, for the reason.
        width: Qubits.
        precision: "single" or "double".
        against: Seconds that the processor is expected to take.
        gates: How many gates are applied, those of every state counted.
    """
    if not better(width, precision):
        return None
    measured = found().of(precision)
    assert measured is not None
    seconds = gates * (measured.gate_s + measured.amplitude_s * 2**width)
    if seconds > against:
        return None
    reason = f"{what}: the GPU was measured faster from {measured.from_qubits} qubits"
    return Choice(engine, reason, WAKING_SECONDS + seconds, HOST_BYTES)


def better(width: int, precision: str) -> bool:
    """Whether a state of `width` qubits is faster on a GPU of this machine, and fits into its memory."""
    return width >= NARROWEST and found().better(width, precision)


@cache
def found() -> Gpu:
    """The GPU of this machine, looked at once in the life of this process."""
    if importlib.util.find_spec("pennylane_lightning") is None or not _installed():
        return Gpu("pennylane-lightning-gpu is not installed")
    if not _device_files():
        return Gpu(NO_DEVICE)
    key = _identity()
    kept = _read(key)
    if kept is not None:
        return kept
    seen = _probe()
    if not seen.why:  # a reason may be gone tomorrow, what was measured is not
        with contextlib.suppress(OSError):
            _write(key, seen)
    return seen


def _installed() -> bool:
    return importlib.util.find_spec("pennylane_lightning.lightning_gpu_ops") is not None


def _device_files() -> list[Path]:
    return [*_DEVICES.glob("nvidia[0-9]*"), *_DEVICES.glob("dxg")]


def _identity() -> dict[str, Any]:
    """What the figures depend on."""
    texts = {}
    for path in (_DRIVER / "version", *sorted(_DRIVER.glob("gpus/*/information"))):
        with contextlib.suppress(OSError):
            texts[str(path)] = path.read_text(encoding="utf-8", errors="replace")
    packages = {}
    for package in ("pennylane-lightning", "pennylane-lightning-gpu"):
        with contextlib.suppress(PackageNotFoundError):
            packages[package] = version(package)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return {"driver": texts, "packages": packages, "visible": visible, "cores": os.cpu_count()}


def _probe() -> Gpu:
    # One thread for the processor's side, as in a worker.
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    command = [sys.executable, "-c", _BOOT, *(entry or str(Path.cwd()) for entry in sys.path)]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, on our own module
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True, env=environment
        )
        return _from_json(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return Gpu(f"looking at the CUDA device did not end within {_PROBE_SECONDS:.0f} s")
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:] or [f"exit status {error.returncode}"]
        return Gpu(f"looking at the CUDA device failed: {last[0]}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Gpu(f"looking at the CUDA device failed: {error}")


def _from_json(data: dict[str, Any]) -> Gpu:
    if data.get("why"):
        return Gpu(str(data["why"]))
    return Gpu(single=Measured(**data["single"]), double=Measured(**data["double"]))


def _cache_file() -> Path:
    asked = os.environ.get("ANTIPHON_CACHE")
    return (Path(asked) if asked else Path(platformdirs.user_cache_dir("antiphon"))) / "gpu.json"


def _read(key: dict[str, Any]) -> Gpu | None:
    try:
        kept = json.loads(_cache_file().read_text(encoding="utf-8"))
        return _from_json(kept["found"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(key: dict[str, Any], seen: Gpu) -> None:
    sides = {name: seen.of(name) for name in ("single", "double")}
    figures = {name: {field: getattr(side, field) for field in Measured.__slots__} for name, side in sides.items()}
    path = _cache_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as part:
        json.dump({"key": key, "found": figures}, part)
    Path(part.name).replace(path)
