"""The contract over targets that compile: a batch for them may be queued before all of its programs are compiled."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from antiphon.domain.work import Work
from antiphon.ports.target_driver import TargetDriver


@runtime_checkable
class CompilingDriver(TargetDriver, Protocol):
    """A target for which planning takes time, since it compiles.

    Where `plans_singly` says so, the plan of a work is the plans of its programs, each made alone, one after the other
    (`domain.work.joined`). Then each may be made when it is needed: while the program before it runs.
    """

    def plans_singly(self, work: Work) -> bool:
        """Whether each program of `work` may be planned alone, in a work of its own with the same options."""
        ...

    def check(self, work: Work) -> None:
        """Make every check of `plan` that needs nothing compiled.

        Raises:
            UnsupportedProgramError, ProgramError, ParameterError, ObservableError, LimitError: As `plan` would.
        """
        ...

    def is_compiled(self, work: Work) -> bool:
        """Whether `plan` of a work that was checked would find every program compiled: then it takes no time."""
        ...
