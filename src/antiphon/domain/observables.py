"""Observables: real-weighted sums of Pauli strings, and arrays of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Observable:
    """Σ coefficient·P. In a Pauli string qubit 0 is the rightmost letter, as in Qiskit.

    `terms` holds each string once, sorted, with a finite real coefficient, so equal observables have equal digests.
    """

    num_qubits: int
    terms: tuple[tuple[str, float], ...]

    @cached_property
    def digest(self) -> str:
        """Content hash over the canonical JSON of the terms."""
        return "sha256:" + hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: {"num_qubits": n, "terms": [["ZZ", 0.5], …]}."""
        return json.dumps({"num_qubits": self.num_qubits, "terms": self.terms}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Observable:
        """The inverse of `to_json`."""
        data = json.loads(text)
        return cls(data["num_qubits"], tuple((pauli, float(value)) for pauli, value in data["terms"]))
