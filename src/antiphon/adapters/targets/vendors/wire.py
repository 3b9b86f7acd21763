"""Antiphon's half of the vendor protocol: what is sent, and what the class of an error means to the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.errors import ExecutionError
from antiphon.ports.provider import AnswerLostError, RefusedByProviderError, TransientProviderError

PROTOCOL = 1

Json = dict[str, Any]

STARTING_S = 120.0
"""An SDK may take ten seconds to import on a busy machine; the first `hello` asks the vendor for its devices, too."""
ANSWER_S = 60.0


def error_of(vendor: str, told: Mapping[str, Any]) -> ExecutionError | NotImplementedError:
    """The error that the engine is to see; what has no known class is ambiguous."""
    message = str(told.get("message", ""))
    details: Json = {"vendor": vendor}
    match told.get("class"):
        case "refused":
            return RefusedByProviderError(f"{vendor} refused it.", cause=message, details=details)
        case "transient":
            after = told.get("retry_after_s")
            if isinstance(after, int | float):
                details["retry_after_s"] = float(after)
            return TransientProviderError(f"{vendor} cannot take it now.", cause=message, details=details)
        case "unsupported":
            return NotImplementedError(message)
        case _:
            return AnswerLostError(f"{vendor} may have taken it or not.", cause=message, details=details)
