"""A submit as the body of `POST /v1/jobs`, as a client that has already read its programs writes it.

The server also understands shorter bodies written by hand; `server.api.submissions` says which.
"""

from __future__ import annotations

import base64
from typing import Any

from antiphon.domain.programs import Program
from antiphon.domain.queues import Priority
from antiphon.engine.requests import OpenSessionRequest, PubRequest, SubmitRequest
from antiphon.engine.validate import LONGEST_NAME


def submit_to_json(request: SubmitRequest) -> dict[str, Any]:
    """The body of a submit. Workspace, caller and idempotency key travel in headers, not here.

    Programs are listed once each and named by their index. Values of parameters are base64 of float64, little-endian,
    C order, so that every bit arrives.
    """
    programs: dict[Program, int] = {}
    pubs = []
    for pub in request.pubs:
        index = programs.setdefault(pub.program, len(programs))
        pubs.append(_pub_to_json(pub, index))
    return {
        "kind": request.kind.value,
        "target": request.target,
        "name": request.name,
        "programs": [program_to_json(program) for program in programs],
        "pubs": pubs,
        "seed": request.seed,
        "options": dict(request.options),
        "execution": request.execution,
        "priority": Priority(request.priority).value,
        "max_seconds": request.max_seconds,
        "metadata": dict(request.metadata),
        "session_id": request.session_id,
    }


def program_to_json(program: Program) -> dict[str, Any]:
    """A program as its artefact: text as it is, anything else in base64."""
    try:
        source, encoding = program.source.decode(), "utf-8"
    except UnicodeDecodeError:
        source, encoding = base64.b64encode(program.source).decode(), "base64"
    return {
        "format": program.format.value,
        "source": source,
        "encoding": encoding,
        "name": _storable(program.name),
        "entry_point": program.entry_point,
    }


def _storable(name: str) -> str:
    """A program's name as far as a job can be called so: its SDK may have allowed more."""
    return name[:LONGEST_NAME].encode(errors="replace").decode().replace("\0", "")


def _pub_to_json(pub: PubRequest, program: int) -> dict[str, Any]:
    observables = None
    if pub.observables is not None:
        observables = [
            {"num_qubits": each.num_qubits, "terms": [[pauli, value] for pauli, value in each.terms]}
            for each in pub.observables
        ]
    return {
        "program": program,
        "shots": pub.shots,
        "parameters": {
            "names": list(pub.parameters.names),
            "shape": list(pub.parameters.shape),
            "data": base64.b64encode(pub.parameters.data).decode(),
        },
        "observables": observables,
        "observables_shape": list(pub.observables_shape),
    }


def session_request_to_json(request: OpenSessionRequest) -> dict[str, Any]:
    """The body of `POST /v1/sessions`."""
    return {
        "target": request.target,
        "name": request.name,
        "failure_policy": request.failure_policy,
        "idle_limit_s": request.idle_limit_s,
        "total_limit_s": request.total_limit_s,
        "max_jobs": request.max_jobs,
        "max_seconds": request.max_seconds,
        "max_cost": request.max_cost,
        "key": request.key,
    }
