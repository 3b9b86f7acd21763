"""Where a primitive runs: on a backend, in a session or batch, or in the innermost one that is open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from qiskit import QuantumCircuit

from antiphon.client.job import Job
from antiphon.client.target import Target
from antiphon.domain.work import JobKind
from antiphon.engine.requests import PubRequest
from antiphon.errors import AntiphonError
from antiphon.qiskit.backend import AntiphonBackend
from antiphon.qiskit.instructions import options_of_placed
from antiphon.qiskit.session import Session, innermost_session


class Mode:
    """The execution mode of a primitive, settled when the primitive is made.

    A backend means: in the session that is open on it at the moment of `run`, or else in none.

    Args:
        given: An `AntiphonBackend`, a `Session`, a `Batch`, or None for the innermost open `with`.

    Raises:
        AntiphonError: None is given and nothing is open, or it is another SDK's backend or session.
    """

    def __init__(self, given: Any) -> None:
        chosen = innermost_session() if given is None else given
        if isinstance(chosen, Session):
            self.session: Session | None = chosen
            self.backend: AntiphonBackend = chosen.on_backend
        elif isinstance(chosen, AntiphonBackend):
            self.session = None
            self.backend = chosen
        elif given is None:
            raise AntiphonError(
                "The primitive has no mode, and no session is open.",
                code="mode-missing",
                next_step='Give mode=AntiphonProvider().backend("sim.auto"), or a Session or Batch on it.',
            )
        else:
            raise AntiphonError(
                f"{given!r} is not a mode of Antiphon's primitives.",
                code="mode-foreign",
                next_step="Give an AntiphonBackend, or a Session or Batch of antiphon.qiskit.",
            )

    @property
    def target(self) -> Target:
        """The client's target that a submit goes to now."""
        return self.backend.submit_target() if self.session is None else self.session.client_target

    def submit(
        self,
        primitive: str,
        kind: JobKind,
        pubs: Sequence[PubRequest],
        circuits: Sequence[QuantumCircuit],
        options: Any,
    ) -> Job:
        """One job of all the pubs, which were made of the circuits.

        Raises:
            ProgramError, LimitError: It is refused; nothing is stored.
            SessionEndedError: The session takes no more jobs.
        """
        metadata = {"sdk": "qiskit", "primitive": primitive}
        if options.environment.job_tags:
            metadata["tags"] = json.dumps(list(options.environment.job_tags))
        target, asked = self.target, options.submit_options()
        placed = options_of_placed(target.info, circuits, asked)
        return target.submit_pubs(kind, pubs, metadata=metadata, **placed, **asked)
