"""Targets of a workspace as devices, and programs as what they take: QIR of the device's profile."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from qdk import TargetProfile, openqasm
from vendor_process.serving import Json, RefusedError

PROFILES = {
    "base": ("Base", TargetProfile.Base),
    "adaptive_ri": ("Adaptive_RI", TargetProfile.Adaptive_RI),
    "adaptive_rif": ("Adaptive_RIF", TargetProfile.Adaptive_RIF),
    # Loops that end on a measurement cannot be compiled from OpenQASM; QIR that has them is passed on as it is.
    "adaptive": ("Adaptive", TargetProfile.Adaptive_RIF),
    "unrestricted": ("Unrestricted", TargetProfile.Adaptive_RIF),
}
ENTRY_POINT = "ENTRYPOINT__main"
UNTOLD_QUBITS = 20
"""The narrowest of the providers' devices that do not tell their width."""


def describe(provider: str, status: Any, *, settle_s: float) -> Json:
    """A target's status as a device; what Azure does not tell is bounded by what all its providers take."""
    profile, _ = PROFILES.get(str(status.target_profile or "Base").lower(), PROFILES["base"])
    is_device = ".qpu" in status.id or ".machine" in status.id
    return {
        "name": status.id,
        "provider": provider,
        "kind": "qpu" if is_device else "simulator",
        "qubits": status.num_qubits or UNTOLD_QUBITS,
        "profile": profile,
        "max_shots": 100_000,
        "max_programs": 100,
        "formats": ["openqasm3", "qir"],
        "status": str(getattr(status.current_availability, "value", status.current_availability)),
        "queue_s": float(status.average_queue_time or 0),
        "description": f"{status.id} of {provider}, through Azure Quantum's own client.",
        "version": f"{provider}:{profile}",
        "poll_s": 2.0 if is_device else 0.5,
        "settle_s": settle_s,
        "knows_keys": True,
    }


def to_qir(program: Mapping[str, Any], profile: str) -> tuple[bytes, str]:
    """A program as QIR, and the name of its entry point.

    Raises:
        RefusedError: The compiler finds what the profile does not have.
    """
    if program["format"] == "qir":
        return base64.b64decode(program["base64"]), program["entry_point"]
    try:
        compiled = openqasm.compile(
            program["text"],
            target_profile=PROFILES[profile.lower()][1],
            output_semantics=openqasm.OutputSemantics.OpenQasm,
            name="main",
        )
    except Exception as error:
        raise RefusedError(f"the program cannot be compiled for {profile}: {error}") from None
    return compiled._repr_qir_(), ENTRY_POINT
