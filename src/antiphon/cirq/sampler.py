"""AntiphonSampler: a `cirq.Sampler` over the jobs of a workspace."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any

import cirq
import numpy as np
from duet import AwaitableFuture, sync  # type: ignore[attr-defined]  # public, but not marked as exported

from antiphon.cirq.circuits import Read, read_circuit, submit_circuits
from antiphon.cirq.job import AntiphonJob
from antiphon.client.target import Target
from antiphon.domain.noise import NoiseModel
from antiphon.errors import AntiphonError


class AntiphonSampler(cirq.Sampler):
    """Samples circuits on one target: a whole sweep is one job, and so is a whole `run_batch`.

    Args:
        target: The client's target; while a session is open on it, every job is in the session.
        seed: Fixes the samples of the first run, of the second, and so on, each its own; None draws seeds, which are
            recorded.
        noise: Noise that the target applies.
        options: The target's own options.

    Raises:
        AntiphonError: `target` is not one of a workspace (code "mode-foreign").
    """

    def __init__(
        self, target: Target, *, seed: int | None = None, noise: NoiseModel | None = None, **options: Any
    ) -> None:
        if not isinstance(target, Target):
            raise AntiphonError(
                f"{target!r} is not a target of a workspace.",
                code="mode-foreign",
                next_step='Give Workspace().target("sim.auto"), or use Service().sampler("sim.auto").',
            )
        self.target = target
        self._seed = seed
        self._runs = itertools.count()
        self._options = options if noise is None else {**options, "noise": noise}

    async def run_sweep_async(
        self, program: cirq.AbstractCircuit, params: cirq.Sweepable, repetitions: int = 1
    ) -> Sequence[cirq.Result]:
        """Submit one job of all the parameter sets, and await its results in the order of the sweep.

        Raises:
            ProgramError, LimitError: The job is refused; nothing is stored.
            SessionEndedError: The open session takes no more jobs.
            JobFailedError, JobCancelledError: It has no result; says why and what to do.
        """
        read = read_circuit(program, params, repetitions)
        if read is None:
            return []
        return (await self._run([read]))[0]

    run_sweep = sync(run_sweep_async)

    async def run_batch_async(
        self,
        programs: Sequence[cirq.AbstractCircuit],
        params_list: Sequence[cirq.Sweepable] | None = None,
        repetitions: int | Sequence[int] = 1,
    ) -> Sequence[Sequence[cirq.Result]]:
        """Submit one job of all the circuits with their sweeps, and await a list of results for each.

        Raises:
            ValueError: The lists have different lengths.
            As `run_sweep_async`.
        """
        sweeps, counts = self._normalize_batch_args(programs, params_list, repetitions)
        reads = [read_circuit(*entry) for entry in zip(programs, sweeps, counts, strict=True)]
        found = iter(await self._run([read for read in reads if read is not None]))
        return [[] if read is None else next(found) for read in reads]

    async def _run(self, reads: list[Read]) -> Sequence[Sequence[cirq.Result]]:
        if not reads:
            return []
        job = submit_circuits(self.target, reads, seed=self._next_seed(), **self._options)
        wrapped = AntiphonJob(job, [facts for _, facts in reads])
        if not job.facts.status.is_final:
            await _ended(wrapped)
        return wrapped.batched_results()

    def _next_seed(self) -> int | None:
        # Runs with one and the same seed would repeat each other's samples, and averages over them would not improve.
        number = next(self._runs)
        if self._seed is None:
            return None
        return int(np.random.SeedSequence((self._seed, number)).generate_state(1, np.uint64)[0]) >> 1

    def __repr__(self) -> str:
        return f"<AntiphonSampler on {self.target.name}>"


async def _ended(job: AntiphonJob) -> None:
    """Await the end of a job without holding up the other coroutines of a duet."""
    future: AwaitableFuture[None] = AwaitableFuture()

    def wait() -> None:
        try:
            job.job.wait()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the one who awaits
            future.try_set_exception(error)
        else:
            future.try_set_result(None)

    # A daemon: after Ctrl-C the interpreter does not stay for the job, which goes on by itself.
    threading.Thread(target=wait, name=f"await {job.job_id()}", daemon=True).start()
    await future
