"""Time: every timer, lease and timestamp goes through this port, so that tests run hours in milliseconds."""

from __future__ import annotations

import threading
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits for it to pass."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def wait(self, event: threading.Event, timeout: float) -> bool:
        """Wait until `event` is set or `timeout` seconds of this clock passed; True when the event is set."""
        ...
