"""The remote half of a vendor's target: the port `Provider`, spoken to the vendor's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.adapters.targets.vendors.pieces import outcomes_of, pieces_of
from antiphon.adapters.targets.vendors.process import VendorProcess
from antiphon.domain.calibrations import Calibration
from antiphon.domain.results import Execution
from antiphon.domain.work import Plan, Work
from antiphon.errors import ExecutionError
from antiphon.ports.provider import (
    AnswerLostError,
    ProviderJob,
    ProviderJobState,
    RefusedByProviderError,
    TransientProviderError,
)


class VendorProvider:
    """Sends, finds, looks, fetches and cancels through the vendor's process, which several targets share.

    Args:
        device: As `hello` describes it.
        send_timeout_s: How long handing a job over may last, the start of the process included.
    """

    def __init__(self, process: VendorProcess, vendor: str, device: Mapping[str, Any], send_timeout_s: float) -> None:
        self._process = process
        self._vendor = vendor
        self._device = device
        self._send_s = send_timeout_s

    @property
    def poll_seconds(self) -> float:
        """How often to ask at first."""
        return float(self._device.get("poll_s", 2.0))

    @property
    def settle_seconds(self) -> float:
        """No `send` lasts longer than its time limit, and the vendor's own listing may lag behind that."""
        return self._send_s + float(self._device.get("settle_s", 120.0))

    def send(self, key: str, work: Work, plan: Plan) -> ProviderJob:  # noqa: ARG002 - the plan decides nothing here
        """Hand it over under `key`.

        Raises:
            RefusedByProviderError, TransientProviderError, AnswerLostError: As the port says.
        """
        programs = list(pieces_of(work))
        given = {"key": key, "device": self._device["name"], "programs": programs, "options": dict(work.options)}
        told = self._process.call("send", timeout=self._send_s, **given)
        try:
            return self._job(told)
        except (LookupError, TypeError, ValueError) as error:
            raise AnswerLostError(f"{self._vendor} answered with what is no job.", cause=repr(error)) from None

    def find(self, key: str, since: float) -> ProviderJob | None:
        """The job sent under `key`; None when the vendor has none now.

        Raises:
            TransientProviderError: It cannot be asked now.
            NotImplementedError: This vendor cannot tell.
        """
        told = self._ask("find", key=key, since=since)
        return None if told.get("job") is None else self._read(told["job"])

    def look(self, provider_id: str) -> ProviderJob:
        """How a job stands.

        Raises:
            TransientProviderError: It cannot be asked now.
            RefusedByProviderError: It has no such job.
        """
        return self._read(self._ask("look", job=provider_id))

    def fetch(self, provider_id: str, work: Work, plan: Plan) -> Execution:  # noqa: ARG002 - as in `send`
        """The outcomes of a job that succeeded, with the calibration where the vendor tells it.

        Raises:
            TransientProviderError: They cannot be had now.
            RefusedByProviderError: It has no such job, or its answer does not fit the work.
        """
        told = self._ask("fetch", job=provider_id)
        try:
            results, provenance = told["results"], dict(told.get("provenance") or {})
            calibration = Calibration.from_json(told["calibration"]) if told.get("calibration") else None
        except (LookupError, TypeError, ValueError) as error:
            raise RefusedByProviderError("The answer has no outcomes.", cause=repr(error)) from None
        outcomes = outcomes_of(work, results)
        sdk = provenance.pop("sdk", {})
        return Execution(
            outcomes,
            {
                "engine": f"{self._vendor}.{self._device['name']}",
                "engine_version": " ".join(f"{name} {version}" for name, version in sorted(sdk.items())),
                "method": f"run by {self._vendor}",
                "num_calls": len(results),
                "provider_job": provider_id,
                **provenance,
            },
            calibration,
        )

    def cancel(self, provider_id: str) -> None:
        """Ask to stop it.

        Raises:
            TransientProviderError: It cannot be asked now.
        """
        self._ask("cancel", job=provider_id)

    def close(self) -> None:
        """End the process; no call follows."""
        self._process.close()

    def _ask(self, call: str, **given: Any) -> dict[str, Any]:
        try:
            return self._process.call(call, **given)
        except AnswerLostError as error:  # it changed nothing
            raise TransientProviderError(error.message, cause=error.cause, details=error.details) from None

    def _read(self, told: Mapping[str, Any]) -> ProviderJob:
        try:
            return self._job(told)
        except (LookupError, TypeError, ValueError) as error:
            raise TransientProviderError(f"{self._vendor} answered with what is no job.", cause=repr(error)) from None

    def _job(self, told: Mapping[str, Any]) -> ProviderJob:
        state = ProviderJobState(told["state"])
        error = None
        if told.get("error") or state is ProviderJobState.FAILED:
            message = (
                f"The job failed at {self._vendor}." if state is ProviderJobState.FAILED else f"{self._vendor} says:"
            )
            error = ExecutionError(message, code="provider-failed", cause=str(told.get("error") or "it gave no reason"))
        return ProviderJob(
            id=str(told["id"]),
            key=told.get("key"),
            state=state,
            error=error,
            cost=tuple(dict(line) for line in told.get("cost") or ()),
            seconds=told.get("seconds"),
        )
