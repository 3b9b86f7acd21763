"""Checks that hold for every target, made before a job is queued."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from numbers import Integral, Real

from antiphon.domain.parameters import ParameterSets
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import JobKind, Plan
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.seeds import MAX_SEED
from antiphon.errors import LimitError, NotFoundError, ParameterError, ProgramError
from antiphon.ports.executor import Executor
from antiphon.ports.target_driver import TargetDriver

EXECUTIONS = ("auto", "inline", "process")
LONGEST_NAME = 1_000
LONGEST_KEY = 250
"""PostgreSQL keeps keys in an index, whose entries may have 2,704 bytes."""
LONGEST_LABEL = 10_000
MOST_LABELS = 100


def find_driver(drivers: Mapping[str, TargetDriver], name: str) -> TargetDriver:
    """The driver of a target.

    Raises:
        NotFoundError: There is none; the next step names the closest.
    """
    driver = drivers.get(name)
    if driver is not None:
        return driver
    close = difflib.get_close_matches(name, drivers, n=1)
    raise NotFoundError(
        f"There is no target {name!r} in this workspace.",
        next_step=f"Did you mean {close[0]!r}?" if close else f"Choose one of {', '.join(drivers)}.",
        details={"targets": list(drivers)},
    )


def check_request(request: SubmitRequest, info: TargetInfo) -> None:
    """Refuse what no driver should see: counts, shots, seeds and limits out of range.

    Raises:
        LimitError, ParameterError, ProgramError: Naming the value, the allowed range, and the way out.
    """
    limits = info.limits
    if not request.pubs:
        raise ProgramError("The batch holds no program.", next_step="Give at least one program.")
    if len(request.pubs) > limits.max_programs:
        raise LimitError(
            f"{len(request.pubs)} programs are more than {info.name} takes in one job ({limits.max_programs}).",
            next_step=f"Split them into batches of at most {limits.max_programs}.",
        )
    if request.execution not in EXECUTIONS:
        raise LimitError(
            f"execution={request.execution!r} is not a way to run a job.",
            code="execution-unknown",
            next_step=f"Choose one of {', '.join(EXECUTIONS)}.",
        )
    if request.seed is not None and not (_is_int(request.seed) and 0 <= request.seed <= MAX_SEED):
        raise LimitError(
            f"The seed {request.seed!r} is not an integer from 0 to 2^63 - 1.",
            code="seed-invalid",
            next_step="Give a non-negative integer, or no seed to have one drawn and recorded.",
        )
    seconds = request.max_seconds
    if seconds is not None and not (is_number(seconds) and 0 < seconds <= limits.max_seconds):
        raise LimitError(
            f"max_seconds={seconds!r} is not a time from 0 to {limits.max_seconds:g} s.",
            next_step=f"{info.name} runs a job for at most {limits.max_seconds:g} s.",
        )
    check_text("name", request.name, LONGEST_NAME)
    if request.key is not None:
        check_text("idempotency key", request.key, LONGEST_KEY)
    check_labels(request.metadata)
    for pub in request.pubs:
        _check_pub(pub, info, request.kind)


def _check_pub(pub: PubRequest, info: TargetInfo, kind: JobKind) -> None:
    shots = pub.shots
    if shots is None:
        if kind is not JobKind.ESTIMATE:
            raise LimitError("No number of shots is given.", code="shots-invalid", next_step="Give shots=1000, say.")
    elif not _is_int(shots) or not 1 <= shots <= info.limits.max_shots:
        raise LimitError(
            f"shots={shots!r} is not an integer from 1 to {info.limits.max_shots:,}.",
            code="shots-invalid",
            next_step=f"{info.name} takes 1 to {info.limits.max_shots:,} shots; split more into several jobs.",
            details={"max_shots": info.limits.max_shots},
        )
    _check_parameters(pub.program.parameters, pub.parameters, info)


def _check_parameters(names: tuple[str, ...], sets: ParameterSets, info: TargetInfo) -> None:
    if sets.names != names:
        raise ParameterError(
            f"The program has the parameters {', '.join(names) or 'none'}, the values are for "
            f"{', '.join(sets.names) or 'none'}.",
            next_step="Bind the values to this program.",
        )
    if not 1 <= sets.num_sets <= info.limits.max_parameter_sets:
        raise LimitError(
            f"{sets.num_sets:,} parameter sets are not from 1 to {info.limits.max_parameter_sets:,}.",
            next_step="Split the sweep into several jobs." if sets.num_sets else "Give at least one set.",
        )


def _is_int(value: object) -> bool:
    # NumPy's integers are Integral, and not int.
    return isinstance(value, int | Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a finite real number, NumPy's included."""
    if not isinstance(value, int | float | Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float is as large as
        return False


def check_text(what: str, text: object, longest: int) -> None:
    """Refuse what a database or a terminal cannot take for a name.

    Raises:
        LimitError: It is no text, longer than `longest` characters, or holds NUL or half a surrogate pair
            (code "text-invalid").
    """
    if isinstance(text, str) and len(text) <= longest and (text.isascii() or _is_unicode(text)) and "\0" not in text:
        return
    if not isinstance(text, str):
        cause = f"it is of the type {type(text).__name__}"
    elif len(text) > longest:
        cause = f"it has {len(text):,} characters"
    else:
        cause = "it holds a NUL character or half a surrogate pair"
    raise LimitError(
        f"The {what} cannot be stored.",
        code="text-invalid",
        cause=cause,
        next_step=f"Give plain text of at most {longest:,} characters.",
    )


def check_labels(metadata: Mapping[str, str]) -> None:
    """Refuse labels that are too many or cannot be stored.

    Raises:
        LimitError: Code "text-invalid".
    """
    for key, value in metadata.items():
        check_text("key of a metadata entry", key, LONGEST_NAME)
        check_text(f"value of the metadata {key!r}", value, LONGEST_LABEL)
    if len(metadata) - ("replay_of" in metadata) > MOST_LABELS:
        raise LimitError(
            f"{len(metadata):,} metadata entries are more than the {MOST_LABELS} a job keeps.",
            code="text-invalid",
            next_step="Keep the data in a file of your own and its name in the metadata.",
        )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_memory(plan: Plan, executor: Executor) -> None:
    """Refuse a plan that needs more memory than its executor gives one task, instead of letting it fail there.

    Raises:
        LimitError: Code "memory-exceeded"; says how much is needed and how to have more.
    """
    allowed = executor.memory_bytes
    if allowed is None or plan.memory_bytes <= allowed:
        return
    raise LimitError(
        "The program needs more memory than a worker process may use.",
        code="memory-exceeded",
        cause=f"it needs {plan.memory_bytes / 2**30:.1f} GiB; each of {executor.capacity} worker(s) may use "
        f"{allowed / 2**30:.1f} GiB",
        next_step="Open the workspace with fewer workers, Workspace(…, workers=1), or make the program narrower.",
        details={"needed_bytes": plan.memory_bytes, "available_bytes": allowed},
    )
