"""Antiphon for users of Cirq: a sampler and a service over the jobs of a workspace.

    from antiphon.cirq import Service

    service = Service()
    result = service.sampler().run(circuit, repetitions=1000)
    with service.open_session(name="tuning"):
        results = service.sampler().run_sweep(circuit, cirq.Linspace("t", 0, 1, 101), repetitions=1000)

A whole sweep is one job, and so is a whole `run_batch`. Results are `cirq.ResultDict` with Cirq's own keys and order of
bits.
"""

from __future__ import annotations

from antiphon.errors import MissingExtraError

try:
    import cirq as _sdk  # noqa: F401 - asked for here, so that its absence has one clear message
except ModuleNotFoundError as error:
    if error.name != "cirq":
        raise
    raise MissingExtraError.of("cirq-core", "cirq", "antiphon.cirq") from error

from antiphon.cirq.job import AntiphonJob
from antiphon.cirq.sampler import AntiphonSampler
from antiphon.cirq.service import AntiphonTarget, Service

__all__ = ["AntiphonJob", "AntiphonSampler", "AntiphonTarget", "Service"]
