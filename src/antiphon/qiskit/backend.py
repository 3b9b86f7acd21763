"""AntiphonBackend: a target of a workspace as a Qiskit `BackendV2`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options

from antiphon.client.target import Target
from antiphon.client.workspace import Workspace
from antiphon.domain.calibrations import Calibration
from antiphon.domain.programs import Program
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest
from antiphon.errors import AntiphonError, LimitError, ProgramError
from antiphon.frontends.parameters import bind
from antiphon.qiskit.instructions import device_target_of, options_of_placed, target_of
from antiphon.qiskit.job import AntiphonJob
from antiphon.qiskit.results import CircuitFacts
from antiphon.qiskit.session import Session, innermost_session
from antiphon.qiskit.surroundings import Service


class AntiphonBackend(BackendV2):  # type: ignore[misc]
    """One target. Circuits run as they are; `transpile` is never required.

    For a simulator it changes little. For a device it gives circuits in native gates on the device's own qubits; those
    run there unchanged, while any other is compiled by the target.

    Attributes:
        entered: Sessions that `run` calls are in now, the innermost last.
    """

    def __init__(self, provider: Service, target: Target) -> None:
        super().__init__(
            provider=provider,
            name=target.name,
            description=target.info.description,
            backend_version=target.info.version,
        )
        self.entered: list[Session] = []
        self._plain = target
        self._info = target.info
        self._device: Any = None

    @property
    def workspace(self) -> Workspace:
        """The workspace its jobs are in."""
        workspace: Workspace = self.provider.workspace
        return workspace

    @property
    def target(self) -> Any:
        """Its instructions, as Qiskit's `Target`.

        Of a device its native gates, coupling map, durations and errors, by the calibration that was in force when this
        was first asked; `refresh` looks for a newer one. Of a simulator every gate on any qubits.
        """
        shape = self._info.device
        if shape is None:
            return target_of(self._info)
        if self._device is None:
            self._device = device_target_of(self._info, shape, self._calibration())
        return self._device

    @property
    def num_qubits(self) -> int:
        """The widest circuit it takes."""
        return self._info.limits.max_qubits

    def refresh(self) -> None:
        """Look again at what the target is, and at the calibration of a device."""
        self._info = self._plain.refresh().info
        self._device = None

    def _calibration(self) -> Calibration | None:
        try:
            return self._plain.calibration
        except LimitError:  # a device whose vendor tells none
            return None

    @property
    def max_circuits(self) -> int:
        """The most circuits in one job."""
        return self._info.limits.max_programs

    @property
    def max_shots(self) -> int:
        """The most shots of one circuit."""
        return self._info.limits.max_shots

    @property
    def simulator(self) -> bool:
        """False for a quantum computer and its emulators."""
        return self._info.kind == "simulator"

    @property
    def operational(self) -> bool:
        """Whether it takes jobs."""
        return self._info.status != "Unavailable"

    def pending_jobs(self) -> int:
        """Jobs waiting for it now, of everybody."""
        return self._plain.refresh().queue_depth

    @classmethod
    def _default_options(cls) -> Any:
        return Options(shots=1024, memory=False, seed_simulator=None)

    def run(
        self,
        run_input: QuantumCircuit | Sequence[QuantumCircuit] | None = None,
        *,
        shots: int | None = None,
        seed: int | None = None,
        seed_simulator: int | None = None,
        memory: bool | None = None,
        job_name: str = "",
        parameter_binds: Sequence[Mapping[Any, Any]] | None = None,
        circuit: QuantumCircuit | None = None,
        meas_level: int = 2,
        **options: Any,
    ) -> AntiphonJob:
        """Submit one job of all the circuits, in the session that is open on this backend, if any.

        Args:
            run_input: One circuit or several.
            shots: Repetitions of each circuit; default is `backend.options.shots`.
            seed, seed_simulator: The job's seed under either name; None draws one, which is recorded.
            memory: Also give the list of shots.
            parameter_binds: For each circuit a mapping of its parameters to numbers, or to arrays of which every entry
                is an experiment of the result.
            circuit: The old name of `run_input`.
            meas_level: Only 2, classified bits.
            options: `noise=antiphon.NoiseModel(…)`, `max_seconds=`, `key=`, and the target's own options.

        Raises:
            ProgramError, LimitError: The job is refused; nothing is stored.
            SessionEndedError: The session takes no more jobs.
        """
        if meas_level != 2:
            raise AntiphonError(
                f"meas_level={meas_level} asks for raw readout, which targets do not give.",
                code="option-unsupported",
                next_step="Leave meas_level out.",
            )
        circuits = _listed(run_input if run_input is not None else circuit)
        binds = [None] * len(circuits) if parameter_binds is None else list(parameter_binds)
        if len(binds) != len(circuits):
            raise ProgramError(
                f"{len(binds)} parameter binds were given for {len(circuits)} circuits.",
                next_step="Give one mapping for each circuit, in order.",
            )
        defaults = self.options
        shots = defaults.shots if shots is None else shots
        seed = seed if seed is not None else seed_simulator
        memory = defaults.memory if memory is None else memory
        pubs: list[PubRequest] = []
        facts: list[CircuitFacts] = []
        for index, (each, values) in enumerate(zip(circuits, binds, strict=True)):
            try:
                program = self.read(each)
                pubs.append(PubRequest(program, bind(program, values), shots))
            except ProgramError as error:
                if len(circuits) > 1:
                    error.message = f"Circuit {index} of {len(circuits)}: {error.message}"
                raise
            facts.append(CircuitFacts.of(each, [(register.name, register.size) for register in program.registers]))
        single = len(pubs) == 1
        kind = JobKind.BATCH if not single else JobKind.SWEEP if pubs[0].parameters.shape else JobKind.SAMPLE
        job = self.submit_target().submit_pubs(
            kind,
            pubs,
            name=job_name,
            seed=defaults.seed_simulator if seed is None else seed,
            metadata={"sdk": "qiskit", "primitive": "run", **options.pop("metadata", {})},
            **options_of_placed(self._info, circuits, options),
            **options,
        )
        return AntiphonJob(self, job, facts, memory=memory)

    def read(self, circuit: QuantumCircuit) -> Program:
        """The circuit as its target takes it: delays in dt are in the device's own unit of time.

        Raises:
            ProgramError: It is no program.
        """
        return self._plain.read(circuit)

    def submit_target(self) -> Target:
        """The client's target that a submit goes to now: that of the innermost open session, or the plain one."""
        session = innermost_session(self)
        return self._plain if session is None else session.client_target

    def open_session(self, name: str = "", *, max_time: int | str | None = None) -> Session:
        """Open a session; every `run` of this backend is in it until it is closed. Use it with `with`."""
        session = Session(self, max_time, name=name)
        session.enter()
        return session

    def __repr__(self) -> str:
        return f"<AntiphonBackend {self.name!r}>"


def _listed(run_input: Any) -> list[QuantumCircuit]:
    circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input or ())
    for index, circuit in enumerate(circuits):
        if not isinstance(circuit, QuantumCircuit):
            raise ProgramError(
                f"Circuit {index} is a {type(circuit).__name__}, not a QuantumCircuit.",
                next_step="Use target.submit of antiphon.Workspace for programs of other SDKs.",
            )
    return circuits
