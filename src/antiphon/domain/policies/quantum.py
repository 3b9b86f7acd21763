"""The quantum: how long a batch runs before it gives way to others, and until when the next of it may go ahead.

A batch gives way at the end of a program, never within one. With others waiting, nothing of it is handed over ahead any
more once what runs is expected to end after the quantum: who waits then starts after the quantum and the rest of one
program (or of one chunk of very short ones).
"""

from __future__ import annotations


def is_over(ran_s: float, quantum_s: float) -> bool:
    """Whether a batch that has run for `ran_s` since it was started, or was last let go on, has had its quantum."""
    return ran_s >= quantum_s


def leaves_room(ran_s: float, running_s: float, quantum_s: float) -> bool:
    """Whether what runs now, expected to take `running_s`, ends before the quantum does."""
    return ran_s + running_s < quantum_s
