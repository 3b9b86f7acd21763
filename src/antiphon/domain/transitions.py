"""The one way a status changes: a table of (status, trigger) → status, and a refusal for every other pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from antiphon.errors import ConflictError

Status = TypeVar("Status", bound=StrEnum)
Trigger = TypeVar("Trigger", bound=StrEnum)


class TransitionRefusedError(ConflictError):
    """The table does not list this trigger in this status."""

    code = "transition-refused"


class TransitionTable(Generic[Status, Trigger]):
    """A closed table: every (status, trigger) pair is either listed or refused.

    Args:
        subject: What the table is about, for messages and diagrams ("job").
        start: The status a new subject has.
        rows: The listed pairs.
        final: Statuses that nothing leaves.
    """

    def __init__(
        self,
        subject: str,
        start: Status,
        rows: Mapping[tuple[Status, Trigger], Status],
        final: frozenset[Status],
    ) -> None:
        leaving_final = [pair for pair in rows if pair[0] in final and rows[pair] != pair[0]]
        if leaving_final:
            raise ValueError(f"{subject}: a final status cannot be left: {leaving_final}")
        self.subject = subject
        self.start = start
        self.final = final
        self._rows = dict(rows)

    def next(self, status: Status, trigger: Trigger) -> Status:
        """The status after `trigger`.

        Raises:
            TransitionRefusedError: The pair is not listed.
        """
        try:
            return self._rows[status, trigger]
        except KeyError:
            raise TransitionRefusedError(
                f"A {self.subject} that is {status.value} cannot take '{trigger.value}'.",
                details={"status": status.value, "trigger": trigger.value},
            ) from None

    def rows(self) -> Iterator[tuple[Status, Trigger, Status]]:
        """All listed rows, in the order of the table."""
        for (status, trigger), after in self._rows.items():
            yield status, trigger, after

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram; the docs embed exactly this."""
        names = {status: status.name.title().replace("_", "") for status in type(self.start)}
        lines = ["stateDiagram-v2", f"    [*] --> {names[self.start]}"]
        lines += [f'    state "{status.value}" as {name}' for status, name in names.items()]
        merged: dict[tuple[Status, Status], list[str]] = {}
        for status, trigger, after in self.rows():
            merged.setdefault((status, after), []).append(trigger.value)
        lines += [f"    {names[a]} --> {names[b]}: {', '.join(triggers)}" for (a, b), triggers in merged.items()]
        lines += [f"    {names[status]} --> [*]" for status in type(self.start) if status in self.final]
        return "\n".join(lines) + "\n"
