"""A program that runs for as long as nobody stops it."""

from __future__ import annotations

from antiphon.client.job import Job
from antiphon.client.kit.subject import HEAD, Subject
from antiphon.domain.programs import Profile
from antiphon.errors import LimitError, ProgramError

ENDLESS = f"""{HEAD}qubit[1] q; bit[2] c;
while (!c[1]) {{ reset q[0]; c[0] = measure q[0]; }}
"""
"""It waits for a bit that nothing is measured into, so that no error of readout ends it."""


def start_endless(subject: Subject, max_seconds: float | None = None) -> Job | None:
    """A job that ends only when it is stopped; None where there is none: no check keeps a real device busy."""
    if subject.info.kind == "qpu" or not subject.offers(Profile.ADAPTIVE):
        return None
    try:
        return subject.target.submit(ENDLESS, 1, max_seconds=max_seconds)
    except (ProgramError, LimitError):
        return None
