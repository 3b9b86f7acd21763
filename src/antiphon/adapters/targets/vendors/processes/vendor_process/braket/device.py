"""Braket's devices, and programs in its dialect: OpenQASM 3 without includes, with gates under Braket's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from braket.aws import AwsDevice
from vendor_process.serving import Json, RefusedError

LOCAL = "local:braket/"
MOST_TASKS = 50
"""Of the service, in one job of ours: each program is a task there."""
INCLUDE = 'include "stdgates.inc";\n'

GATES = {
    "cx": "gate cx a, b { cnot a, b; }",
    "sdg": "gate sdg a { si a; }",
    "tdg": "gate tdg a { ti a; }",
    "sx": "gate sx a { v a; }",
    "p": "gate p(l) a { phaseshift(l) a; }",
    "cp": "gate cp(l) a, b { cphaseshift(l) a, b; }",
    "ccx": "gate ccx a, b, c { ccnot a, b, c; }",
    "id": "gate id a { i a; }",
    "crx": "gate crx(t) a, b { h b; rz(t / 2) b; cnot a, b; rz(-t / 2) b; cnot a, b; h b; }",
    "cry": "gate cry(t) a, b { ry(t / 2) b; cnot a, b; ry(-t / 2) b; cnot a, b; }",
    "crz": "gate crz(t) a, b { rz(t / 2) b; cnot a, b; rz(-t / 2) b; cnot a, b; }",
}
"""Gates of OpenQASM's standard library that Braket calls by another name, or has not."""


def describe_local(name: str) -> Json:
    """A simulator of the SDK: braket_sv (state vector) or braket_dm (density matrix)."""
    widths = {"braket_sv": 25, "braket_dm": 12}
    if name not in widths:
        raise RefusedError(f"the SDK has no local simulator {name!r}; it has {', '.join(widths)}")
    return {
        "name": name,
        "arn": f"{LOCAL}{name}",
        "kind": "simulator",
        "qubits": widths[name],
        "profile": "Base",
        "max_shots": 1_000_000,
        "max_programs": 100,
        "formats": ["openqasm3"],
        "status": "Available",
        "description": f"Amazon Braket's local simulator {name}.",
        "version": name,
        "poll_s": 0.2,
        "settle_s": 1.0,
        "as_sent": {},
        "knows_keys": True,
    }


def describe_live(told: Mapping[str, Any], session: Any) -> Json | None:
    """A device of the service; None for one that runs no gates."""
    device = AwsDevice(told["deviceArn"], aws_session=session)
    properties = device.properties
    paradigm: Any = getattr(properties, "paradigm", None)
    if not hasattr(paradigm, "qubitCount"):
        return None
    is_qpu = told["deviceType"] == "QPU"
    least, most = properties.service.shotsRange
    cost = properties.service.deviceCost
    return {
        "name": told["deviceArn"].rpartition("/")[2].lower(),
        "arn": told["deviceArn"],
        "kind": "qpu" if is_qpu else "simulator",
        "family": told["providerName"],
        "qubits": paradigm.qubitCount,
        "profile": "Base",
        "min_shots": least,
        "max_shots": most,
        "max_programs": MOST_TASKS,
        "formats": ["openqasm3"],
        "native_gates": list(getattr(paradigm, "nativeGateSet", None) or ()),
        "status": "Available" if told["deviceStatus"] == "ONLINE" else told["deviceStatus"].capitalize(),
        "prices": [] if cost is None else [{"unit": cost.unit, "price": cost.price, "currency": "USD"}],
        "description": f"{told['deviceName']} of {told['providerName']}, through Amazon Braket.",
        "version": str(getattr(properties.service, "updatedAt", "") or ""),
        "poll_s": 5.0 if is_qpu else 1.0,
        "settle_s": 120.0,
        "knows_keys": True,
    }


def to_braket(program: Mapping[str, Any]) -> str:
    """The program's text with Braket's own gates.

    Raises:
        RefusedError: It is in another format.
    """
    if program["format"] != "openqasm3":
        raise RefusedError(f"Braket takes no {program['format']}")
    text: str = program["text"]
    used = [rule for name, rule in GATES.items() if f"\n{name} " in text or f"\n{name}(" in text]
    return text.replace(INCLUDE, "".join(f"{rule}\n" for rule in used), 1)
