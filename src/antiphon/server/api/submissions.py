"""Bodies of `POST /v1/jobs` and `POST /v1/sessions`, as models with bounds.

Two forms are understood. The full form is what `client.wire.requests.submit_to_json` writes: `programs`, and `pubs`
that name them by index. The short forms are for hands: one `program` (text, or an object with its format), or
`programs` without `pubs` for a batch; `parameters` as a mapping of names or an array, as a list of sets for a sweep;
`observables` like {"ZZ": 0.5} or a list of these.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from antiphon.domain.programs import ProgramFormat
from antiphon.domain.queues import Priority
from antiphon.domain.work import JobKind
from antiphon.engine.seeds import MAX_SEED
from antiphon.engine.sessions import LARGEST_LIMIT, LONGEST_LIMIT_S, MOST_JOBS
from antiphon.engine.validate import EXECUTIONS, LONGEST_LABEL, LONGEST_NAME, MOST_LABELS
from antiphon.frontends.recognise import MAX_BYTES
from antiphon.server.api.headers import RESERVED_KEYS

MOST_PROGRAMS = 10_000
MOST_DIMENSIONS = 16
DEEPEST = 16
MOST_SHOTS = 2**53 - 1
"""Targets have limits of their own, far below; this is what every JSON reader keeps exactly."""


def _plain(value: Any, depth: int = 0) -> Any:
    """Refuse JSON values that no option, parameter or observable has: too deep, not finite, integers without end."""
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        for key, each in value.items():
            _plain(key, depth)
            _plain(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _plain(each, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("NaN and infinity are no JSON numbers")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise ValueError("an integer has at most 64 bits")
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("half a surrogate pair is no text") from None
    return value


def without_nul(value: str) -> str:
    """The text, if a database can keep it."""
    if "\0" in value:
        raise ValueError("a NUL character is no text")
    return value


def _of_their_own(key: str) -> str:
    if key.startswith(RESERVED_KEYS):
        raise ValueError(f"keys that begin with {RESERVED_KEYS} are those of the Azure protocol")
    return without_nul(key)


Plain = Annotated[Any, AfterValidator(_plain)]
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(without_nul)]
Label = Annotated[str, Field(max_length=LONGEST_LABEL), AfterValidator(without_nul)]
Shots = Annotated[int, Field(strict=True, ge=1, le=MOST_SHOTS)]
Shape = Annotated[list[Annotated[int, Field(strict=True, ge=0, le=2**31)]], Field(max_length=MOST_DIMENSIONS)]

Seconds = Annotated[float, Field(gt=0, le=LONGEST_LIMIT_S)]


class Body(BaseModel):
    """Base of what is received: a name that is not known is refused, since it is a spelling mistake."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ProgramBody(Body):
    """A program as its artefact. Without a format it is recognised by its content."""

    format: ProgramFormat | None = None
    source: str = Field(min_length=1, max_length=2 * MAX_BYTES, description="Text, or base64 of the bytes.")
    encoding: Literal["utf-8", "base64"] = "utf-8"
    name: Name = ""
    entry_point: Name | None = Field(default=None, description="For QIR: the function to run.")


AnyProgram = Annotated[str, Field(min_length=1, max_length=2 * MAX_BYTES)] | ProgramBody


class EncodedParameters(Body):
    """Parameter values to the bit: base64 of float64, little-endian, C order, over `shape` and then the names."""

    names: Annotated[list[Name], Field(max_length=100_000)]
    shape: Shape
    data: str


class EncodedObservable(Body):
    """Σ coefficient·P; in a Pauli string qubit 0 is the rightmost letter."""

    num_qubits: int = Field(ge=0, le=2**31)
    terms: Annotated[list[tuple[str, float]], Field(min_length=1, max_length=1_000_000)]


class PubBody(Body):
    """One program with its parameter sets and what to measure."""

    program: int = Field(default=0, ge=0, lt=MOST_PROGRAMS, description="Index into `programs`.")
    shots: Shots | None = None
    parameters: Annotated[EncodedParameters | Plain, Field(union_mode="left_to_right")] = None
    observables: Annotated[list[EncodedObservable] | Plain, Field(union_mode="left_to_right")] = None
    observables_shape: Shape | None = None


class Submission(Body):
    """One job to be."""

    target: Annotated[str, Field(min_length=1, max_length=200, examples=["sim.auto"])]
    kind: JobKind | None = Field(default=None, description="Default: what the other fields say.")
    name: Name = ""
    program: AnyProgram | None = None
    programs: Annotated[list[AnyProgram], Field(min_length=1, max_length=MOST_PROGRAMS)] | None = None
    pubs: Annotated[list[PubBody], Field(min_length=1, max_length=MOST_PROGRAMS)] | None = None
    shots: Shots | None = Field(default=None, description="Repetitions; default 1000, or exact values for an estimate.")
    parameters: Plain = Field(
        default=None, description="One set, or a list of sets; for a batch one set for each program."
    )
    observables: Plain = Field(default=None, description='Like {"ZZ": 0.5}, "ZZ", or a list; makes it an estimate.')
    seed: Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)] | None = None
    options: dict[Name, Plain] = Field(default_factory=dict, description="The target's own options, noise included.")
    execution: Literal[EXECUTIONS] = "auto"  # type: ignore[valid-type]
    priority: Priority = Field(default=Priority.STANDARD, description="Its class in the queue of its target.")
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    metadata: Annotated[dict[Name, Label], Field(max_length=MOST_LABELS)] = Field(default_factory=dict)
    session_id: Annotated[str, Field(max_length=100), AfterValidator(without_nul)] | None = None
    cache: Literal["never", "allow", "any"] | Annotated[float, Field(strict=True, ge=0)] = Field(
        default="never",
        description="Whether an earlier result of the same work may be the answer: never; allow, for seeded or exact "
        "work without noise; a number, the same but at most so many seconds old; any, sampled noise included.",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Submission:
        if (self.program is None) == (self.programs is None):
            raise ValueError("give either program or programs")
        if self.pubs is None:
            return self
        if self.programs is None:
            raise ValueError("pubs name their programs by index: give programs")
        if not (self.parameters is None and self.observables is None and self.shots is None):
            raise ValueError("with pubs, give shots, parameters and observables in each of them")
        highest = max(pub.program for pub in self.pubs)
        if highest >= len(self.programs):
            raise ValueError(f"a pub names program {highest} of {len(self.programs)}")
        return self


class SessionBody(Body):
    """One session to be. A `key` that names a live session returns that session."""

    target: Annotated[str, Field(min_length=1, max_length=200, examples=["sim.auto"])]
    name: Name = ""
    failure_policy: Literal["abort", "continue"] = "abort"
    idle_limit_s: Seconds | None = Field(default=None, description="Default 600.")
    total_limit_s: Seconds | None = Field(default=None, description="Default 28,800, from the first job on.")
    max_jobs: Annotated[int, Field(strict=True, ge=1, le=MOST_JOBS)] | None = Field(
        default=None, description="It takes no more than so many jobs."
    )
    max_seconds: Annotated[float, Field(gt=0, le=LARGEST_LIMIT)] | None = Field(
        default=None, description="It ends once its jobs used so many seconds of the target."
    )
    max_cost: Annotated[float, Field(gt=0, le=LARGEST_LIMIT)] | None = Field(
        default=None, description="It ends once its jobs cost so much."
    )
    key: Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_of_their_own)] | None = None
