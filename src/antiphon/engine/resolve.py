"""Resolve: from what a job names by content hash back to the work itself."""

from __future__ import annotations

from antiphon.domain.evolve import evolve
from antiphon.domain.jobs import JobSpec, PubSpec
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.domain.work import Pub, Work
from antiphon.engine.artefacts import decode_parameters, read_artefact
from antiphon.engine.calibrations import for_driver
from antiphon.engine.context import EngineContext
from antiphon.errors import StoreError
from antiphon.ports.job_store import Transaction


def resolve_work(ctx: EngineContext, tx: Transaction, spec: JobSpec) -> Work:
    """The work of a stored job, equal to what was submitted.

    Raises:
        StoreError: Something it names is no longer stored.
        MissingExtraError: The SDK that reads its program is not installed here.
    """
    programs: dict[str, Program] = {}
    pubs = []
    for pub in spec.pubs:
        if pub.program not in programs:
            programs[pub.program] = load_program(ctx, tx, pub.program)
        program = programs[pub.program]
        if pub.name is not None and pub.name != program.name:
            program = evolve(program, name=pub.name)
        pubs.append(_resolve_pub(ctx, tx, pub, program))
    driver = ctx.drivers.get(spec.target)
    return Work(spec.kind, tuple(pubs), spec.options if driver is None else for_driver(spec.options, driver))


def load_program(ctx: EngineContext, tx: Transaction, digest: str) -> Program:
    """A stored program, read by the front end of its format."""
    stored = tx.artefact(digest)
    if stored is None or stored.facts is None:
        raise StoreError(
            f"The store has no program {digest}.",
            code="store-incomplete",
            next_step="Restore the folder from a backup; jobs that need it cannot be replayed.",
        )
    facts = stored.facts
    return ctx.codec.load(
        ProgramFormat(facts["format"]),
        read_artefact(ctx, tx, digest),
        name=facts.get("name", ""),
        entry_point=facts["entry_point"],
    )


def _resolve_pub(ctx: EngineContext, tx: Transaction, pub: PubSpec, program: Program) -> Pub:
    sets = ParameterSets(program.parameters, pub.parameters_shape, decode_parameters(ctx, tx, pub.parameters))
    observables = None
    if pub.observables is not None:
        observables = tuple(Observable.from_json(read_artefact(ctx, tx, digest).decode()) for digest in pub.observables)
    return Pub(program, sets, pub.shots, pub.seed, observables, pub.observables_shape)
