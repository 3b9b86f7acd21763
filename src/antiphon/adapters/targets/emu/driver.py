"""The emulated devices: check a work, compile it for the device, run it under the noise of a calibration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.compile import (
    Done,
    circuit_of,
    compile_key,
    compiled,
    is_kept,
    own_cache,
    with_level,
)
from antiphon.adapters.targets.emu.limits import check_work
from antiphon.adapters.targets.emu.preparing import Device, Prepared, assessed, on_device, prepare_apart, prepared
from antiphon.adapters.targets.emu.recorded import RecordedDevice, recorded
from antiphon.adapters.targets.emu.settings import OPTION_HELP, CompileSettings, read_settings
from antiphon.adapters.targets.emu.snapshots import iso_of, snapshot_named
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.checks import check_pub
from antiphon.adapters.targets.sim.demand import Choice
from antiphon.adapters.targets.sim.driver import INLINE_BYTES, features_for
from antiphon.adapters.targets.sim.noisy import run_noisy
from antiphon.adapters.targets.sim.provenance import part_told, told_of
from antiphon.adapters.targets.sim.task import parameter_array
from antiphon.domain.calibrations import Calibration
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.devices import Assessment, Counted
from antiphon.domain.evolve import evolve
from antiphon.domain.packed_circuits import PackedCircuit
from antiphon.domain.programs import Profile, Program
from antiphon.domain.results import Execution, Outcome
from antiphon.domain.targets import Limits, TargetInfo, option_refusal
from antiphon.domain.work import PROGRAMS, Plan, Pub, Work
from antiphon.errors import LimitError
from antiphon.ports.device_driver import RUN_UNDER

REVISION = 2
"""Raised whenever the same seeded program could give another outcome on these targets."""

LONGEST_COMPILE_S = 60.0
"""After so long no further program of a stranger's job is compiled."""


SMALL_BYTES = 100_000
"""A server reads compiled circuits from files up to this size itself: about 2,000 operations."""

ROOM_BYTES = 64 * 2**20
"""For programs that a server had prepared apart."""

Apart = Callable[..., Any]
"""Makes a call, its first argument, with the others, in another process."""


class EmuDriver:
    """A device as recorded: time stands still at the snapshot that a job chooses.

    Args:
        name: Of the target.
        load: Its shape and snapshots, read when they are first asked for.
        store: Where compiled circuits are kept; None for the user's own cache.
        apart: Where programs of strangers are prepared; then a job's programs together have a limit, too.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[str], RecordedDevice] = recorded,
        store: CompiledCache | None = None,
        apart: Apart | None = None,
    ) -> None:
        self._name = name
        self._load = load
        self._store = store
        self._apart = apart
        self._assessed: BoundedCache[Assessment] = BoundedCache(1024)
        self._from_apart: BoundedCache[Prepared] = BoundedCache(ROOM_BYTES, lambda each: each.num_bytes)

    @cached_property
    def _device(self) -> RecordedDevice:
        return self._load(self._name)

    @cached_property
    def info(self) -> TargetInfo:
        """What the target declares; constant while the driver lives."""
        device = self._device
        newest = device.calibrations[-1]
        return TargetInfo(
            name=device.target,
            provider="antiphon",
            kind="emulator",
            version=f"emu-{REVISION}-{newest.digest[7:15]}",
            profile=Profile.ADAPTIVE if device.shape.mid_circuit else Profile.BASE,
            limits=_limits(device),
            options=OPTION_HELP,
            description=f"{device.described}, emulated with its noise of {iso_of(newest)[:10]}.",
            device=device.shape,
        )

    def calibration(self, at: float) -> Calibration:
        """The snapshot published last before `at`, or the first of all where there was none yet."""
        found = [each for each in self._device.calibrations if each.taken_at <= at]
        return found[-1] if found else self._device.calibrations[0]

    def calibrations(self, since: float, until: float) -> Sequence[Calibration]:
        """The snapshots published in that time, newest first, and the one in force when it began."""
        known = self._device.calibrations
        before = [each for each in known if each.taken_at < since][-1:]
        return [*before, *(each for each in known if since <= each.taken_at <= until)][::-1]

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        """What the program would meet under that calibration.

        Raises:
            UnsupportedProgramError: It has no circuit, or does not fit on the device.
            LimitError: Too wide, or too deep.
        """
        settings = CompileSettings()
        self._check_program(program, settings)
        return self._prepared(program, None, calibration, settings).assessment

    def plan(self, work: Work) -> Plan:
        """Check `work` and compile it for the snapshot that it chooses, the newest if none.

        Raises:
            UnsupportedProgramError: An instruction, profile or option is not supported.
            ProgramError: No measurement, wrong parameters, or a wrong observable.
            LimitError: Too wide, too deep, too long, too many shots, or too much to simulate with noise.
            MissingExtraError: The compiler or an engine is not installed.
        """
        return self.plan_under(work, self._chosen(work.options))

    def plans_singly(self, work: Work) -> bool:  # noqa: ARG002 - the port's signature
        """True: programs know nothing of each other."""
        return True

    def check(self, work: Work) -> None:
        """Make every check of `plan` that needs nothing compiled; raises as that does."""
        settings = self._checked(work)
        self._chosen(work.options)
        for pub in work.pubs:
            self._check_pub(pub, settings)

    def is_compiled(self, work: Work) -> bool:
        """Whether `plan` would find every program compiled."""
        settings, calibration = self._checked(work), self._chosen(work.options)
        return all(is_kept(pub.program, calibration, settings, self._store) for pub in work.pubs)

    def plan_under(self, work: Work, calibration: Calibration) -> Plan:
        """`plan` for that calibration."""
        settings = self._checked(work)
        ready: list[tuple[Prepared, Choice]] = []
        began = time.monotonic()
        for pub in work.pubs:
            self._check_time(began)
            self._check_pub(pub, settings)
            made = self._prepared(pub.program, pub, calibration, settings)
            assert made.choice is not None
            ready.append((made, made.choice))
        choices = [choice for _, choice in ready]
        sets = [pub.parameters.num_sets for pub in work.pubs]
        memory = max((choice.memory_bytes for choice in choices), default=0)
        return Plan(
            engine=tuple(choice.engine for choice in choices),
            reason=tuple(choice.reason for choice in choices),
            cost=sum(choice.seconds * count for choice, count in zip(choices, sets, strict=True)),
            memory_bytes=memory,
            safe_inline=all(choice.safe for choice in choices) and memory <= INLINE_BYTES,
            num_calls=sum(sets),
            compiled=tuple(each.compiled for each, _ in ready),
            warnings=tuple(dict.fromkeys(said for each, choice in ready for said in _warnings(each, choice))),
            details={
                "calibration": {
                    "digest": calibration.digest,
                    "taken_at": calibration.taken_at,
                    "published": iso_of(calibration),
                    "source": calibration.source,
                },
                **settings.to_json(),
                PROGRAMS: [each.told() for each, _ in ready],
            },
            device_s=sum(
                pub.parameters.num_sets * (pub.shots or 0) * (each.assessment.seconds + self._device.shape.shot_pause_s)
                for pub, (each, _) in zip(work.pubs, ready, strict=True)
            ),
        )

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run `work` as planned, under the calibration that it was compiled for or another that the plan names.

        Raises:
            ExecutionError: The engine ended without a result.
        """
        if RUN_UNDER in plan.details:
            return self.execute_under(work, plan, Calibration.from_json(plan.details[RUN_UNDER]))
        wanted = plan.details.get("calibration", {}).get("digest")
        known = {each.digest: each for each in self._device.calibrations}
        return self.execute_under(work, plan, known.get(wanted) or self._chosen(work.options))

    def execute_under(self, work: Work, plan: Plan, calibration: Calibration) -> Execution:
        """Run `work` as compiled in `plan`, under the noise of another calibration: the device's true state, say.

        Raises:
            ExecutionError: The engine ended without a result.
        """
        noise = DeviceNoise(calibration)
        outcomes: list[Outcome] = []
        parts: list[dict[str, Any]] = []
        for pub, made, engine, reason in zip(work.pubs, plan.compiled, plan.engine, plan.reason, strict=True):
            began = time.perf_counter()
            placed = on_device(pub, made.circuit.num_qubits, made.final)
            outcome, ran = run_noisy(placed, made.circuit, noise, engine, made.key)
            outcomes.append(outcome)
            parts.append(part_told(engine, reason, ran, time.perf_counter() - began))
        return Execution(tuple(outcomes), told_of(parts), calibration)

    def _chosen(self, options: Mapping[str, Any]) -> Calibration:
        named = options.get("calibration")
        known = self._device.calibrations
        return known[-1] if named is None else snapshot_named(named, known, self._device.target)

    def _checked(self, work: Work) -> CompileSettings:
        settings = read_settings(work.options, self.info.limits.max_qubits, self.info.name)
        check_work(self.info.name, self._device.shape.limits, work)
        return settings

    def _check_pub(self, pub: Pub, settings: CompileSettings) -> None:
        check_pub(pub, features_for(pub.program), parameter_array(pub), self.info)
        self._check_program(pub.program, settings)

    @cached_property
    def _facts(self) -> Device:
        shape = self._device.shape
        return Device(self.info.name, shape.limits, all_to_all=not shape.coupling)

    def _prepared(
        self, program: Program, pub: Pub | None, calibration: Calibration, settings: CompileSettings
    ) -> Prepared:
        store = self._store or own_cache()
        if self._apart is not None:
            settings, level = with_level(program, settings)
            key = compile_key(program, calibration, settings)
            kept = store.get(key, SMALL_BYTES)
            if kept is None:
                return self._prepared_apart(program, pub, calibration, settings, level, key)
            done = Done(key, kept, level, reused=True)
        else:
            done = compiled(program, calibration, settings, all_to_all=self._facts.all_to_all, store=store)
        assessment = self._assessed.get(
            (done.key, calibration.digest), lambda: assessed(self._facts, done.kept, calibration)
        )
        return prepared(done, assessment, pub, DeviceNoise(calibration), done.key)

    def _prepared_apart(
        self,
        program: Program,
        pub: Pub | None,
        calibration: Calibration,
        settings: CompileSettings,
        level: int,
        key: str,
    ) -> Prepared:
        apart, store = self._apart, self._store or own_cache()
        assert apart is not None
        fresh: list[Prepared] = []

        def ask() -> Prepared:
            circuit = PackedCircuit(circuit_of(program, self.info.name))
            bare = None if pub is None else evolve(pub, program=evolve(program, circuit=None))
            about = (calibration, settings, level, key, store.folder)
            found: Prepared = apart(prepare_apart, self._facts, circuit, bare, *about)
            if found.kept is not None:
                store.hold(key, found.kept)
                found = evolve(found, kept=None)
            fresh.append(found)
            return found

        # Asked again when the job's turn comes, by the engine that runs it: nothing of that is in the pub but its seed.
        found = self._from_apart.get((key, calibration.digest, _asked(pub)), ask)
        return found if fresh else evolve(found, compiled=evolve(found.compiled, reused=True))

    def _check_time(self, began: float) -> None:
        if self._apart is not None and time.monotonic() - began > LONGEST_COMPILE_S:
            raise LimitError(
                f"The programs of one job are compiled for {LONGEST_COMPILE_S:g} s at most.",
                code="compile-too-long",
                next_step="Submit fewer or smaller programs at once.",
                details={"limit_seconds": LONGEST_COMPILE_S},
            )

    def _check_program(self, program: Program, settings: CompileSettings) -> None:
        name, width, most = self.info.name, program.num_qubits, self.info.limits.max_qubits
        circuit_of(program, name)
        if width > most:
            raise LimitError(
                f"The program has {width} qubits; {name} has {most}.",
                code="too-wide",
                next_step="Use fewer qubits, or a wider target: antiphon targets list shows them.",
                details={"num_qubits": width, "max_qubits": most},
            )
        if settings.layout is not None and len(settings.layout) != width:
            raise option_refusal(
                name,
                "layout",
                f"it has {len(settings.layout)} qubits, and the program has {width}",
                "Give one physical qubit for each qubit of the program, in order.",
            )


def _limits(device: RecordedDevice) -> Limits:
    found = Limits(device.num_qubits)
    shots = device.most(Counted.SHOTS, found.max_shots)
    return replace(found, max_shots=shots, max_programs=device.most(Counted.PROGRAMS, found.max_programs))


def _warnings(made: Prepared, choice: Choice) -> tuple[str, ...]:
    return (*made.assessment.warnings, *([choice.warning] if choice.warning else []))


def _asked(pub: Pub | None) -> object:
    """What the choice of an engine depends on beside the program."""
    if pub is None:
        return None
    observables = None if pub.observables is None else tuple(each.digest for each in pub.observables)
    return pub.shots, pub.parameters, observables, pub.observables_shape
