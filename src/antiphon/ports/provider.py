"""The contract over targets that run elsewhere: a provider takes work, is asked how it goes, and answers in its time.

The engine writes each intent to its ledger before it calls `send`, and never calls it twice for one intent. How a call
failed decides what follows, so a provider raises exactly these: `RefusedByProviderError` when nothing was taken for
certain, `TransientProviderError` when nothing was taken and trying again may help (`details["retry_after_s"]`: when, if
the provider said so), `AnswerLostError` when it may have been taken. Whatever else `send` raises counts as the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from antiphon.domain.results import Execution
from antiphon.domain.work import Plan, Work
from antiphon.errors import AntiphonError, ExecutionError
from antiphon.ports.target_driver import TargetDriver


class RefusedByProviderError(ExecutionError):
    """The provider said no, for a reason that stays."""

    code = "provider-refused"


class TransientProviderError(ExecutionError):
    """Nothing was taken, and the same may succeed later: busy, throttled, calibrating, connection refused."""

    code = "provider-busy"


class AnswerLostError(ExecutionError):
    """The provider may have taken it or not: the connection broke after something had left."""

    code = "provider-answer-lost"


class ProviderJobState(StrEnum):
    """Where a provider's job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True when nothing changes it any more."""
        return self not in (ProviderJobState.QUEUED, ProviderJobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderJob:
    """A job as its provider tells it.

    Attributes:
        id: The provider's name for it.
        key: The key it was sent with, as far as the provider tells.
        execution: The outcomes, once it succeeded; None leaves them to `fetch`.
        error: Why it failed.
        cost: Cost lines, as far as the provider tells them.
        seconds: How long it ran, as far as the provider tells.
        started_at: When it began to run, as far as the provider tells; seconds since the epoch.
        finished: Of one that failed: so many programs, from the first on, whose outcomes `fetch` has all the same.
    """

    id: str
    state: ProviderJobState
    key: str | None = None
    execution: Execution | None = None
    error: AntiphonError | None = None
    cost: tuple[Mapping[str, Any], ...] = ()
    seconds: float | None = None
    started_at: float | None = None
    finished: int = 0


class Provider(Protocol):
    """The remote half of a target. Every call blocks, is bounded in time, and may be called from any thread."""

    @property
    def poll_seconds(self) -> float:
        """How often to ask at first; the engine asks less and less often."""
        ...

    @property
    def settle_seconds(self) -> float:
        """After so long nothing of a `send` is on its way any more: a `find` without it counts only from then on.

        Longer than a `send` may last, than whatever stands between may keep a request back, and than a listing may lag
        behind.
        """
        ...

    def send(self, key: str, work: Work, plan: Plan) -> ProviderJob:
        """Hand it over under `key`; a provider that knows keys answers a repeated one with the first job.

        Its id is what counts: how it stands is asked with `look`, at once if it has ended already.

        Raises:
            RefusedByProviderError, TransientProviderError, AnswerLostError: See the module.
        """
        ...

    def find(self, key: str, since: float) -> ProviderJob | None:
        """The job sent under `key`, by the key or by a listing since a time; None when it has none now.

        Its id is what counts: how it stands is asked with `look`.

        Raises:
            TransientProviderError: It cannot be asked now.
            NotImplementedError: This provider can tell neither by key nor by listing.
        """
        ...

    def look(self, provider_id: str) -> ProviderJob:
        """How a job stands.

        Raises:
            TransientProviderError: It cannot be asked now.
            RefusedByProviderError: It has no such job.
        """
        ...

    def fetch(self, provider_id: str, work: Work, plan: Plan) -> Execution:
        """The outcomes of a job that succeeded and that `look` tells without them; one for each pub, in order.

        Of a job that failed, those of the programs that `look` says are finished.

        Args:
            work, plan: As they were given to `send`: they say which registers and observables are meant.

        Raises:
            TransientProviderError: They cannot be had now.
            RefusedByProviderError: It has no such job, or its answer does not fit the work.
        """
        ...

    def cancel(self, provider_id: str) -> None:
        """Ask to stop it; that it stopped shows in `look`.

        Raises:
            TransientProviderError: It cannot be asked now.
        """
        ...

    def close(self) -> None:
        """Give back connections; no call follows."""
        ...


@runtime_checkable
class KnowsItsQueue(Provider, Protocol):
    """A provider that can say how long its own queue is, at once: without asking anybody elsewhere."""

    def expected_wait(self) -> float:
        """Seconds that a short job would wait there which came now."""
        ...

    def starts_at(self, key: str) -> float | None:
        """When the job sent under a key starts, as things stand, or did start; None: it has none such."""
        ...


@dataclass(frozen=True, slots=True)
class TargetPlugin:
    """What a package of somebody else brings: targets, and who runs those of them that are elsewhere, by name.

    A package offers a function that returns one, as an entry point of the group "antiphon.targets".
    """

    drivers: Mapping[str, TargetDriver]
    providers: Mapping[str, Provider] = field(default_factory=dict)
