"""What a session asks of its backend and a backend of its provider, whose modules stand above."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from antiphon.client.workspace import Workspace


@runtime_checkable
class WorkspaceBackend(Protocol):
    """A backend whose jobs are in a workspace.

    Attributes:
        name: Name of its target.
        entered: Sessions that its `run` calls are in now, the innermost last.
    """

    name: str
    entered: list[Any]

    @property
    def workspace(self) -> Workspace:
        """The workspace its jobs are in."""
        ...


class Service(Protocol):
    """Where backends come from: IBM's word for a provider.

    Attributes:
        workspace: The workspace of all its backends.
    """

    workspace: Workspace

    def backend(self, name: str, /) -> WorkspaceBackend:
        """One backend by name; the same object every time."""
        ...
