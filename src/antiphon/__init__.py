"""Antiphon: a hybrid quantum-classical workspace that a team hosts itself.

    from antiphon import Workspace

    ws = Workspace()
    target = ws.target("sim.auto")
    print(target.submit(circuit, shots=1000).result().counts)

The names below are loaded when they are first used, so that `import antiphon` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.client.job import Job as Job
    from antiphon.client.result import Result as Result
    from antiphon.client.session import Session as Session
    from antiphon.client.target import Target as Target
    from antiphon.client.workspace import Workspace as Workspace
    from antiphon.domain.jobs import JobStatus as JobStatus
    from antiphon.domain.mitigation import Mitigation as Mitigation
    from antiphon.domain.noise import NoiseModel as NoiseModel
    from antiphon.domain.observables import Observable as Observable
    from antiphon.domain.sessions import SessionStatus as SessionStatus
    from antiphon.errors import AntiphonError as AntiphonError

__version__ = "0.1.0"

_WHERE = {
    "AntiphonError": "antiphon.errors",
    "Job": "antiphon.client.job",
    "JobStatus": "antiphon.domain.jobs",
    "Mitigation": "antiphon.domain.mitigation",
    "NoiseModel": "antiphon.domain.noise",
    "Observable": "antiphon.domain.observables",
    "Result": "antiphon.client.result",
    "Session": "antiphon.client.session",
    "SessionStatus": "antiphon.domain.sessions",
    "Target": "antiphon.client.target",
    "Workspace": "antiphon.client.workspace",
}

__all__ = [*sorted(_WHERE), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'antiphon' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
