"""The contract over targets: every simulator, emulated device and provider implements exactly this."""

from __future__ import annotations

from typing import Protocol

from antiphon.domain.results import Execution
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Work


class TargetDriver(Protocol):
    """Plans work before it is queued and executes it after.

    A driver holds no job state. `plan` runs in the submitting process and must be quick and side-effect free; `execute`
    may run in the same process or in a worker process that built its own driver of the same name, so everything it
    needs is in its arguments, all of which can be pickled.
    """

    @property
    def info(self) -> TargetInfo:
        """What the target declares; constant while the driver lives."""
        ...

    def plan(self, work: Work) -> Plan:
        """Check `work` against the target and decide how to run it.

        Raises:
            UnsupportedProgramError: An instruction, profile or option is not supported; names it and the way out.
            LimitError: Too wide, too long, too many shots, or more memory than this machine has.
            MissingExtraError: The engine it needs is not installed.
        """
        ...

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run `work` as planned; one outcome for each pub, in order. Blocking; may be killed at any moment.

        The same seeds, target version and plan give the same outcome to the bit.

        Raises:
            ExecutionError: The engine ended without a result.
        """
        ...
