"""Jobs on a device that lives, seen through one step at a time on a virtual clock, without any thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from antiphon.adapters.clocks import ManualClock
from antiphon.adapters.executors.inline import InlineExecutor
from antiphon.adapters.targets.emu_life.driver import LivingDriver
from antiphon.adapters.targets.emu_life.provider import LivingProvider
from antiphon.composition import build_engine, load_drivers
from antiphon.domain.evolve import evolve
from antiphon.domain.policies.life import LIVES, LivingDevice
from antiphon.domain.work import JobKind
from antiphon.engine.job_record import record_of
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.frontends.recognise import to_program
from programs import BELL
from provider_jobs import Desk

TARGET = "emu.manila"
MIDNIGHT = 20_371 * 86_400.0  # 2025-10-10T00:00Z


def living(profile: str = "quiet", seed: int = 7, **changes: Any) -> LivingDevice:
    """The five qubits, with some figures of a named life changed."""
    return LivingDevice(TARGET, evolve(LIVES[profile], **changes), seed)


class LivingDesk(Desk):
    """One engine without a dispatcher, on a clock that is moved by hand; simulations run in this process."""

    @property
    def driver(self) -> LivingDriver:
        return cast("LivingDriver", self.ctx.drivers[TARGET])

    @property
    def device(self) -> LivingProvider:
        return cast("LivingProvider", self.ctx.providers[TARGET])

    def submit(self, programs: int = 1, *, shots: int = 200, seed: int | None = 5, **what: Any) -> str:
        """The id of a new job."""
        return submit(self.ctx, self.request(programs, shots=shots, seed=seed, **what)).job.id

    def request(self, programs: int = 1, *, shots: int = 200, seed: int | None = 5, **what: Any) -> SubmitRequest:
        """What `submit` asks for."""
        return SubmitRequest(
            workspace="default",
            who="ada",
            kind=JobKind.SAMPLE if programs == 1 else JobKind.BATCH,
            target=TARGET,
            pubs=(PubRequest(to_program(BELL), shots=shots),) * programs,
            seed=seed,
            **what,
        )

    def run(self, job_id: str, most: int = 20_000) -> dict[str, Any]:
        """Its record, once it has ended."""
        self.see_through(self.take(job_id), most=most)
        return self.record(job_id)

    def record(self, job_id: str) -> dict[str, Any]:
        return record_of(self.ctx, self.job(job_id))

    def place(self, job_id: str) -> tuple[float, float]:
        """When the device runs a job that it has."""
        place = self.device._places.of_key(f"{job_id}-0")  # what nobody else is told
        assert place is not None
        return place.starts, place.ends


@contextmanager
def living_desk(home: Path, device: LivingDevice, clock: ManualClock | None = None) -> Iterator[LivingDesk]:
    """An engine for the block; several may be open on one folder."""
    clock = clock or ManualClock(MIDNIGHT + 3 * 3600.0)
    engine = build_engine(
        home, clock=clock, workers=0, dispatch=False, devices=[device], runs_on=InlineExecutor(load_drivers())
    )
    try:
        yield LivingDesk(engine.ctx, clock, cast("Any", engine.ctx.providers[TARGET]))
    finally:
        engine.ctx.held.clear()
        engine.close()
