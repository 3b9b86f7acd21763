"""Antiphon for users of Qiskit: a backend, primitives and sessions over the jobs of a workspace.

    from antiphon.qiskit import AntiphonProvider, SamplerV2, Session

    backend = AntiphonProvider().backend("sim.auto")
    with Session(backend) as session:
        counts = SamplerV2(mode=session).run([circuit], shots=1000).result()[0].data.meas.get_counts()

Every `run`, of the backend or of a primitive, is one job, however many circuits it holds, inside the session that is
open. Bit order is Qiskit's.
"""

from __future__ import annotations

from antiphon.errors import MissingExtraError

try:
    import qiskit as _sdk  # noqa: F401 - asked for here, so that its absence has one clear message
except ModuleNotFoundError as error:
    if error.name != "qiskit":
        raise
    raise MissingExtraError.of("qiskit", "qiskit", "antiphon.qiskit") from error

from antiphon.qiskit.backend import AntiphonBackend
from antiphon.qiskit.estimator import EstimatorV2
from antiphon.qiskit.job import AntiphonJob
from antiphon.qiskit.options import EstimatorOptions, SamplerOptions
from antiphon.qiskit.primitive_job import AntiphonPrimitiveJob
from antiphon.qiskit.provider import AntiphonProvider
from antiphon.qiskit.sampler import SamplerV2
from antiphon.qiskit.session import Batch, Session

Sampler = SamplerV2
Estimator = EstimatorV2

__all__ = [
    "AntiphonBackend",
    "AntiphonJob",
    "AntiphonPrimitiveJob",
    "AntiphonProvider",
    "Batch",
    "Estimator",
    "EstimatorOptions",
    "EstimatorV2",
    "Sampler",
    "SamplerOptions",
    "SamplerV2",
    "Session",
]
