"""When a GPU is used: what is found is scripted here; `engines/test_lightning_gpu.py` runs on a real one."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.targets.sim import build_drivers, gpu
from antiphon.adapters.targets.sim.gpu import Gpu, Measured
from antiphon.domain.circuits import Circuit, Gate, Measure, Register
from antiphon.errors import UnsupportedProgramError
from sim_work import sampling

FAST = Measured(from_qubits=18, most_qubits=28, gate_s=1e-6, amplitude_s=1e-13)
GPU = Gpu(single=FAST, double=Measured(from_qubits=17, most_qubits=27, gate_s=1e-6, amplitude_s=1e-13))
NOISE = {"depolarizing_1q": 0.01, "depolarizing_2q": 0.02, "readout_p01": 0.0, "readout_p10": 0.0}


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    gpu.found.cache_clear()
    yield
    gpu.found.cache_clear()


def wide(width: int) -> Circuit:
    turns = [Gate("ry", (qubit,), (0.3 + qubit,)) for qubit in range(width)]
    pairs = [Gate("cx", (qubit, qubit + 1), ()) for qubit in range(width - 1)]
    ends = [Measure(qubit, qubit) for qubit in range(width)]
    return Circuit(width, (Register("c", width, 0),), (), (*4 * (*turns, *pairs), *ends))


def planned(width: int, **options: Any) -> tuple[str, str]:
    plan = build_drivers()["sim.auto"].plan(sampling(wide(width), shots=500, **options))
    return plan.engine[0], plan.reason[0]


@pytest.fixture
def with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "found", lambda: GPU)


@pytest.mark.usefixtures("with_gpu")
def test_the_gpu_is_chosen_from_the_width_at_which_it_was_measured_faster() -> None:
    assert planned(17)[0] == "lightning"
    engine, reason = planned(18)
    assert engine == "lightning-gpu"
    assert reason == "static, 18 qubits, counts: the GPU was measured faster from 18 qubits"
    assert planned(24)[0] == "lightning-gpu"
    assert planned(17, precision="double")[0] == "lightning-gpu"


@pytest.mark.usefixtures("with_gpu")
def test_what_its_memory_does_not_hold_stays_on_the_processor() -> None:
    assert gpu.better(28, "single")
    assert not gpu.better(29, "single")
    assert not gpu.better(28, "double")


@pytest.mark.usefixtures("with_gpu")
def test_noise_trajectories_go_to_the_gpu_and_are_let_be_wider_there() -> None:
    assert planned(17, noise=NOISE)[0] == "trajectories"
    assert planned(18, noise=NOISE)[0] == "trajectories-gpu"
    assert planned(22, noise=NOISE)[0] == "trajectories-gpu"


def test_a_gpu_that_was_never_faster_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    never = Measured(None, 28, 1e-3, 1e-9)
    monkeypatch.setattr(gpu, "found", lambda: Gpu(single=never, double=never))
    assert planned(20)[0] == "lightning"


def test_nobody_asks_about_a_gpu_for_a_narrow_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> Gpu:
        raise AssertionError

    monkeypatch.setattr(gpu, "found", asked)
    assert planned(8)[0] == "lightning"


def test_without_a_gpu_the_processor_runs_it_and_asking_for_the_gpu_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "found", lambda: Gpu("no CUDA device"))
    assert planned(20)[0] == "lightning"
    with pytest.raises(UnsupportedProgramError) as caught:
        planned(20, engine="lightning-gpu")
    assert caught.value.cause == "no CUDA device"


def test_without_the_package_or_a_device_nothing_is_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gpu, "_probe", unreachable)
    monkeypatch.setattr(gpu, "_installed", lambda: False)
    assert gpu.found().why == "pennylane-lightning-gpu is not installed"
    gpu.found.cache_clear()
    monkeypatch.setattr(gpu, "_installed", lambda: True)
    monkeypatch.setattr(gpu, "_DEVICES", tmp_path)
    assert gpu.found().why == "no CUDA device"


def unreachable() -> Gpu:
    raise AssertionError


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which a device seems to be."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "version").write_text("570.1")
    monkeypatch.setattr(gpu, "_installed", lambda: True)
    monkeypatch.setattr(gpu, "_DEVICES", tmp_path / "dev")
    monkeypatch.setattr(gpu, "_DRIVER", tmp_path / "driver")
    monkeypatch.setenv("ANTIPHON_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_what_was_measured_is_kept_until_the_driver_changes(monkeypatch: pytest.MonkeyPatch, device: Path) -> None:
    monkeypatch.setattr(gpu, "_probe", lambda: GPU)
    assert gpu.found() == GPU
    gpu.found.cache_clear()
    monkeypatch.setattr(gpu, "_probe", unreachable)
    assert gpu.found() == GPU
    gpu.found.cache_clear()
    (device / "driver" / "version").write_text("571.0")
    with pytest.raises(AssertionError):
        gpu.found()


@pytest.mark.usefixtures("device")
def test_a_reason_against_is_not_kept_for_the_next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_probe", lambda: Gpu("out of memory"))
    assert gpu.found().why == "out of memory"
    gpu.found.cache_clear()
    monkeypatch.setattr(gpu, "_probe", lambda: GPU)
    assert gpu.found() == GPU


@pytest.mark.usefixtures("device")
def test_a_cache_that_was_spoilt_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu._cache_file().parent.mkdir(parents=True)
    gpu._cache_file().write_text('{"key": 1')
    monkeypatch.setattr(gpu, "_probe", lambda: GPU)
    assert gpu.found() == GPU


def ended(returncode: int, stdout: str = "", stderr: str = "") -> Callable[..., Any]:
    def run(command: list[str], **_: Any) -> Any:
        done = subprocess.CompletedProcess(command, returncode, stdout, stderr)
        done.check_returncode()
        return done

    return run


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (ended(-11, stderr="noise\nSegmentation fault"), "looking at the CUDA device failed: Segmentation fault"),
        (ended(0, stdout="no JSON"), "looking at the CUDA device failed: Expecting value"),
        (ended(0, stdout='{"why": "no CUDA device"}'), "no CUDA device"),
    ],
)
def test_a_look_that_goes_wrong_is_a_reason_and_no_error(
    monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any], why: str
) -> None:
    monkeypatch.setattr("antiphon.adapters.targets.sim.gpu.subprocess.run", run)
    assert gpu._probe().why.startswith(why)


def test_the_real_look_ends_with_a_gpu_or_with_a_reason() -> None:
    seen = gpu._probe()
    assert bool(seen.why) != (seen.single is not None)
