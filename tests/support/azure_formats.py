"""Runs what Azure's front ends sent, without the protocol around it: input blob → engine → result blob.

As a program it does so for a JSON list on its input, and writes the results as JSON: for the genuine decoders, which
live in another environment.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from antiphon.composition import RunningEngine, build_engine
from antiphon.domain.jobs import Job, JobStatus
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import SubmitRequest
from antiphon.engine.results import items_of, outcomes_of
from antiphon.engine.submit import submit
from antiphon.engine.wait import wait
from antiphon.server.azure.inputs import AzureInput, read_input
from antiphon.server.azure.outputs import LAYOUT, write_output
from antiphon.server.azure.targets import AzureTargets

SEED = 20_260_101


@contextmanager
def running(home: Path) -> Iterator[RunningEngine]:
    """An engine of one worker."""
    engine = build_engine(home, workers=1)
    try:
        yield engine
    finally:
        engine.close()


def read(ctx: EngineContext, payload: dict[str, Any]) -> AzureInput:
    """What the payload asks, as the routes would read it."""
    target = AzureTargets(ctx.drivers, aliases=True).find(payload["target"], payload.get("provider"))
    return read_input(
        ctx.codec,
        target,
        payload["input_format"],
        payload["input"].encode(),
        payload["input_params"],
        payload["output_format"],
    )


def run(ctx: EngineContext, payload: dict[str, Any]) -> tuple[Job, bytes]:
    """The job that the payload became, and its result blob."""
    asked = read(ctx, payload)
    target = AzureTargets(ctx.drivers, aliases=True).find(payload["target"])
    job = submit(
        ctx,
        SubmitRequest(
            workspace="default",
            who="tests",
            kind=asked.kind,
            target=target.engine_target,
            pubs=asked.pubs,
            options=asked.options,
            seed=SEED,
        ),
    ).job
    if not job.status.is_final:
        job = wait(ctx, "default", job.id, 60)
    # As they come back from the store: JSON.
    details = json.loads(json.dumps({LAYOUT: asked.layout, "metadata": payload["metadata"]}))
    outcomes = outcomes_of(ctx, job) if job.status is JobStatus.SUCCEEDED else ()
    body, content_type = write_output(asked.output_format, job, outcomes, details, items_of(ctx, job))
    assert content_type == "application/json"
    return job, body


def main() -> None:
    """Results of the payloads on the input, in order."""
    payloads = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as engine:
        json.dump([run(engine.ctx, payload)[1].decode() for payload in payloads], sys.stdout)


if __name__ == "__main__":
    main()
