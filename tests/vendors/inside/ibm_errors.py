"""Run in IBM's environment: what its client raises, in the classes of the protocol."""

from __future__ import annotations

import requests
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import IBMNotAuthorizedError, IBMRuntimeError, RuntimeJobNotFound
from vendor_process.ibm.job import classed
from vendor_process.serving import AmbiguousError, RefusedError, TransientError, VendorError


def kind(error: Exception, cause: Exception | None = None, *, sending: bool = True) -> type[VendorError]:
    try:
        with classed(sending=sending):
            raise error from cause
    except VendorError as told:
        return type(told)
    raise AssertionError("it went through")


def answered(status: int) -> RequestsApiError:
    return RequestsApiError(f"answered with {status}", status_code=status)


assert kind(IBMNotAuthorizedError("no")) is RefusedError
assert kind(RuntimeJobNotFound("no")) is RefusedError
assert kind(IBMRuntimeError("failed"), answered(400)) is RefusedError
assert kind(IBMRuntimeError("failed"), answered(429)) is TransientError
assert kind(IBMRuntimeError("failed"), answered(500)) is AmbiguousError
assert kind(IBMRuntimeError("failed"), answered(500), sending=False) is TransientError
assert kind(answered(401)) is RefusedError
assert kind(answered(-1)) is AmbiguousError
assert kind(requests.exceptions.ConnectTimeout()) is TransientError
assert kind(requests.exceptions.ReadTimeout()) is AmbiguousError
assert kind(requests.exceptions.ConnectionError("reset")) is AmbiguousError
print("ok")
