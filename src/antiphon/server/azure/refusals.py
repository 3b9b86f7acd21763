"""How the Azure protocol says no: JSON on the data plane, XML in the storage, and the codes its clients know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from starlette.responses import Response

from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitedError,
    SessionEndedError,
)
from antiphon.server.problems import outward, problem_response, status_of

SESSION_IS_OVER = (
    "Session is already in a terminal state. This may have been due to failures in prior jobs in the session."
)
"""What the service says, word for word, when a job is submitted to a session that takes no more."""

_CODES: tuple[tuple[type[AntiphonError], str], ...] = (
    (AuthenticationError, "Unauthorized"),
    (PermissionDeniedError, "AuthorizationFailed"),
    (QuotaExceededError, "QuotaExceeded"),
    (RateLimitedError, "TooManyRequests"),
    (NotFoundError, "ResourceNotFound"),
    (ConflictError, "Conflict"),
)


class AzureRefusal(AntiphonError):  # noqa: N818 - it is an answer of the protocol, not a fault
    """A refusal with the HTTP status and the code that the protocol has for it."""

    def __init__(self, status: int, code: str, message: str, *, next_step: str = "") -> None:
        super().__init__(message, code=code, next_step=next_step)
        self.status = status

    @classmethod
    def invalid_job(cls, message: str, *, next_step: str = "") -> AzureRefusal:
        """A job or session whose definition cannot be taken; nothing is stored of it."""
        return cls(400, "InvalidJobDefinition", message, next_step=next_step)


class StorageRefusal(AzureRefusal):
    """The same in the storage, which answers in XML."""


def unforeseen() -> AzureRefusal:
    """What the caller is told of a fault of ours: nothing of the inside."""
    return AzureRefusal(500, "InternalError", "Something went wrong inside the server; its log says what.")


def azure_response(error: AntiphonError) -> Response:
    """The answer of the data plane: `{"error": {"code", "message"}}`."""
    error = outward(error)
    status, code, message = _terms(error)
    headers = _headers(error, status) | {"x-ms-error-code": code}
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Response(body, status, headers, "application/json")


def storage_response(error: AntiphonError, *, with_body: bool = True) -> Response:
    """The answer of the storage: `<Error>`, and the code in a header, which is all that a HEAD can carry."""
    error = outward(error)
    status, code, message = _terms(error)
    root = ET.Element("Error")
    ET.SubElement(root, "Code").text = code
    ET.SubElement(root, "Message").text = message
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True) if with_body else b""
    return Response(body, status, _headers(error, status) | {"x-ms-error-code": code}, "application/xml")


def told(error: Mapping[str, object]) -> str:
    """A stored error in one text: its message, cause and next step, since the clients show nothing else of it."""
    parts = [str(error.get(name) or "") for name in ("message", "cause", "next_step")]
    return " ".join(part if part[-1] in ".!?" else part + "." for part in parts if part)


def _terms(error: AntiphonError) -> tuple[int, str, str]:
    if isinstance(error, SessionEndedError) and error.code == SessionEndedError.code:
        return 400, "InvalidJobDefinition", SESSION_IS_OVER
    if isinstance(error, AzureRefusal):
        return error.status, error.code, told(error.to_dict())
    status = status_of(error)
    code = "RequestBodyTooLarge" if status == 413 else ""
    code = code or next((code for kind, code in _CODES if isinstance(error, kind)), "")
    if not code:
        code = "InvalidRequest" if status < 500 else "InternalServerError" if status == 500 else "ServiceUnavailable"
    return status, code, told(error.to_dict())


def _headers(error: AntiphonError, status: int) -> dict[str, str]:
    """Those that every refusal of ours carries too: when to come back, and how to prove who one is."""
    if isinstance(error, AzureRefusal):
        return {"Retry-After": "1"} if status == 503 else {}
    ours = problem_response(error).headers
    return {name: ours[name] for name in ("retry-after", "www-authenticate") if name in ours}
