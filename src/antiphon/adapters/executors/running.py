"""Run one work on its driver and turn whatever happens into an execution or an error of ours, for every executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon.adapters.executors import failures
from antiphon.domain.results import Execution
from antiphon.domain.work import Plan, Work
from antiphon.errors import AntiphonError
from antiphon.ports.target_driver import TargetDriver


@dataclass(frozen=True, slots=True)
class RunWork:
    """The request for a worker that has drivers; the answer is an `Execution` or an `AntiphonError`."""

    target: str
    work: Work
    plan: Plan

    def run(self, loaded: Mapping[str, TargetDriver], memory_limit: int | None) -> Execution | AntiphonError:
        """Run the work on the drivers that the worker loaded."""
        return run_work(loaded, self.target, self.work, self.plan, memory_limit)

    def failed(self, error: BaseException) -> AntiphonError:
        """Code "engine-error"."""
        return failures.engine_failed(self.target, self.plan, error)


def run_work(
    drivers: Mapping[str, TargetDriver], target: str, work: Work, plan: Plan, memory_limit: int | None = None
) -> Execution | AntiphonError:
    """What the driver of `target` returned, or why it did not: its own error, "engine-error" or "worker-memory".

    Raises:
        KeyboardInterrupt, SystemExit: As the driver let them through; they are meant for the process, not the task.
    """
    driver = drivers.get(target)
    if driver is None:
        return failures.target_unknown(target, drivers)
    try:
        return driver.execute(work, plan)
    except AntiphonError as error:
        return error
    except MemoryError as error:
        return failures.memory_exhausted(memory_limit, str(error) or "MemoryError")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic in an engine written in Rust is not an Exception
        return failures.engine_failed(target, plan, error)
