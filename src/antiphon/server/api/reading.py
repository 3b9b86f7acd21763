"""From a body to what the engine takes: programs read, parameters bound, observables understood."""

from __future__ import annotations

import base64
import binascii
import math
import time
from typing import Any

import numpy as np

from antiphon.domain.identity import Principal
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program
from antiphon.domain.work import JobKind
from antiphon.engine.context import EngineContext
from antiphon.engine.requests import OpenSessionRequest, Origin, PubRequest, Reuse, SubmitRequest
from antiphon.engine.times import in_seconds
from antiphon.errors import AntiphonError, InvalidRequestError, LimitError, ParameterError, ProgramError
from antiphon.frontends.observables import to_observables
from antiphon.frontends.parameters import bind
from antiphon.server.api.programs import read_program
from antiphon.server.api.submissions import (
    EncodedObservable,
    EncodedParameters,
    ProgramBody,
    PubBody,
    SessionBody,
    Submission,
)

DEFAULT_SHOTS = 1000
LONGEST_READ_S = 60


def submit_request(
    ctx: EngineContext,
    principal: Principal,
    body: Submission,
    *,
    key: str | None,
    trace: str | None,
    origin: Origin | None = None,
) -> SubmitRequest:
    """The request of a body; workspace and caller are the principal's, whatever the body says.

    Raises:
        ProgramError, ParameterError, ObservableError, LimitError: Saying which program and what to change.
    """
    began = time.perf_counter()
    given = body.programs if body.programs is not None else [body.program or ""]
    several = len(given) > 1
    programs = [
        _named(index, len(given), several, lambda each=each: _read(ctx, each, began))
        for index, each in enumerate(given)
    ]
    if body.pubs is not None:
        kind = body.kind or _kind_of_pubs(body.pubs, several)
        pubs = [
            _named(index, len(body.pubs), len(body.pubs) > 1, lambda pub=pub: _pub(pub, programs[pub.program], kind))
            for index, pub in enumerate(body.pubs)
        ]
    elif body.programs is not None:
        kind = body.kind or (JobKind.BATCH if body.observables is None else JobKind.ESTIMATE)
        pubs = _batch(body, programs, kind)
    else:
        kind, pubs = _single(body, programs[0])
    return SubmitRequest(
        workspace=principal.workspace,
        who=principal.name,
        kind=kind,
        target=body.target,
        pubs=tuple(pubs),
        name=body.name,
        seed=body.seed,
        options=in_seconds(body.options),
        execution=body.execution,
        priority=body.priority,
        max_seconds=body.max_seconds,
        metadata=body.metadata,
        session_id=body.session_id,
        key=key,
        reuse=_reuse(body.cache),
        read_seconds=time.perf_counter() - began,
        trace=trace,
        origin=origin,
    )


def _read(ctx: EngineContext, body: str | ProgramBody, began: float) -> Program:
    if time.perf_counter() - began > LONGEST_READ_S:
        raise LimitError(
            f"The programs of one job are read for {LONGEST_READ_S} s at most.",
            code="reading-too-long",
            next_step="Submit fewer or smaller programs at once.",
            details={"limit_s": LONGEST_READ_S},
        )
    return read_program(ctx, body)


def _reuse(cache: str | float) -> Reuse:
    if isinstance(cache, str):
        return Reuse(None if cache == "never" else math.inf, even_sampled=cache == "any")
    return Reuse(cache)


def session_request(
    principal: Principal, body: SessionBody, key: str | None, origin: Origin | None = None
) -> OpenSessionRequest:
    """The request of a session's body; a key in the header counts when the body has none."""
    return OpenSessionRequest(
        workspace=principal.workspace,
        who=principal.name,
        target=body.target,
        name=body.name,
        failure_policy=body.failure_policy,
        idle_limit_s=body.idle_limit_s,
        total_limit_s=body.total_limit_s,
        max_jobs=body.max_jobs,
        max_seconds=body.max_seconds,
        max_cost=body.max_cost,
        key=key if body.key is None else body.key,
        origin=origin,
    )


def _single(body: Submission, program: Program) -> tuple[JobKind, list[PubRequest]]:
    pub = PubBody(shots=body.shots, parameters=body.parameters, observables=body.observables)
    if body.kind is not None:
        kind = body.kind
    elif body.observables is not None:
        kind = JobKind.ESTIMATE
    else:
        kind = JobKind.SAMPLE if _parameters(body.parameters, program).shape == () else JobKind.SWEEP
    read = _pub(pub, program, kind)
    if kind is JobKind.SAMPLE and read.parameters.shape != ():
        raise ProgramError(
            f"{read.parameters.num_sets} parameter sets were given to sample one.",
            next_step='Leave "kind" out, or say "sweep", for many sets.',
        )
    return kind, [read]


def _batch(body: Submission, programs: list[Program], kind: JobKind) -> list[PubRequest]:
    parameters = _one_each("parameters", body.parameters, len(programs))
    observables = _one_each("observables", body.observables, len(programs))
    return [
        _named(
            index,
            len(programs),
            True,
            lambda program=program, values=values, measured=measured: _pub(
                PubBody(shots=body.shots, parameters=values, observables=measured), program, kind
            ),
        )
        for index, (program, values, measured) in enumerate(zip(programs, parameters, observables, strict=True))
    ]


def _one_each(what: str, values: Any, count: int) -> list[Any]:
    if values is None:
        return [None] * count
    if isinstance(values, list) and len(values) == count:
        return values
    found = f"{len(values)}" if isinstance(values, list) else "no list"
    raise InvalidRequestError(
        f'"{what}" of {count} programs is {found}.',
        next_step="Give a list with one entry for each program, in order.",
    )


def _kind_of_pubs(pubs: list[PubBody], several: bool) -> JobKind:
    if any(pub.observables is not None for pub in pubs):
        return JobKind.ESTIMATE
    if several or len(pubs) > 1:
        return JobKind.BATCH
    parameters = pubs[0].parameters
    if isinstance(parameters, EncodedParameters):
        return JobKind.SWEEP if parameters.shape else JobKind.SAMPLE
    return JobKind.SWEEP if isinstance(parameters, list) and parameters else JobKind.SAMPLE


def _pub(body: PubBody, program: Program, kind: JobKind) -> PubRequest:
    parameters = _parameters(body.parameters, program)
    shots = body.shots
    if shots is None and kind is not JobKind.ESTIMATE:
        shots = DEFAULT_SHOTS
    if body.observables is None:
        if kind is JobKind.ESTIMATE:
            raise InvalidRequestError(
                "An estimate has no observables.",
                next_step='Give "observables", like {"ZZ": 0.5}, or another "kind".',
            )
        return PubRequest(program, parameters, shots)
    if kind is not JobKind.ESTIMATE:
        raise InvalidRequestError(
            f"Observables were given to a job of the kind {kind.value}.",
            next_step='Say "kind": "estimate", or leave the observables out.',
        )
    given: Any = body.observables
    if isinstance(given, list):
        given = [_observable(each) for each in given]
    observables, shape = to_observables(given, program)
    if body.observables_shape is not None:
        shape = tuple(body.observables_shape)
        if math.prod(shape) != len(observables):
            raise InvalidRequestError(
                f"{len(observables)} observables do not form an array of the shape {list(shape)}.",
                next_step="Give them flat, in C order, as many as the shape has.",
            )
    return PubRequest(program, parameters, shots, observables, shape)


def _observable(given: Any) -> Any:
    if isinstance(given, EncodedObservable):
        return Observable(given.num_qubits, tuple(given.terms))
    return given


def _parameters(given: Any, program: Program) -> ParameterSets:
    if not isinstance(given, EncodedParameters):
        return bind(program, given)
    if tuple(given.names) != program.parameters:
        raise ParameterError(
            f"The values are for the parameters {', '.join(given.names[:8]) or 'none'}, the program has "
            f"{', '.join(program.parameters[:8]) or 'none'}.",
            next_step="Bind the values to this program.",
        )
    try:
        data = base64.b64decode(given.data, validate=True)
        values = np.frombuffer(data, dtype="<f8").reshape((*given.shape, len(given.names)))
    except (binascii.Error, ValueError) as error:
        raise ParameterError(
            "The parameter values are not base64 of float64 of the shape stated.",
            cause=str(error),
            next_step="Encode prod(shape) · len(names) numbers, little-endian, in C order.",
        ) from None
    return bind(program, values)


def _named(index: int, count: int, several: bool, read: Any) -> Any:
    """What `read` returns; of several, its refusal says which one it is about."""
    try:
        return read()
    except AntiphonError as error:
        if several:
            error.message = f"Program {index} of the batch ({count} programs): {error.message}"
            error.details = {**error.details, "item": index}
        raise
