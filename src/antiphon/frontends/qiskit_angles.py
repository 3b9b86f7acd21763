"""Qiskit's parameter expressions as angles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qiskit.circuit import Parameter, ParameterExpression

from antiphon.domain.circuits import Affine, Angle
from antiphon.errors import ProgramError
from antiphon.frontends import parameters_angles as angles


def read_angle(value: Any, index: Mapping[str, int], constants: Mapping[str, float], where: str) -> Angle:
    """The angle of a gate parameter; `index` numbers the circuit's parameters, `constants` are loop parameters.

    Raises:
        ProgramError: A constant is not a finite real number; `where` names the gate.
        UnsupportedProgramError: A function has no counterpart on the tape.
    """
    if not isinstance(value, ParameterExpression):
        return angles.finite(value, where)

    def lookup(name: str) -> Angle:
        if name in constants:
            return constants[name]
        return Affine(0.0, ((index[name], 1.0),))

    if isinstance(value, Parameter):
        return lookup(value.name)
    coefficients = _coefficients(value)
    if coefficients is None:
        return angles.from_sympy(value.sympify(), lookup)
    total: Angle = angles.finite(_real(value.bind(dict.fromkeys(value.parameters, 0.0)), where), where)
    for name, coefficient in coefficients.items():
        total = angles.add(total, angles.scale(lookup(name), coefficient))
    return total


def _coefficients(value: ParameterExpression) -> dict[str, float] | None:
    """Derivative by each parameter, or None when one of them is not a constant."""
    coefficients: dict[str, float] = {}
    for parameter in value.parameters:
        try:
            slope = value.gradient(parameter)
        except (RuntimeError, NotImplementedError):
            return None
        if isinstance(slope, ParameterExpression):
            if slope.parameters:
                return None
            slope = slope.numeric()
        if isinstance(slope, complex):
            return None
        coefficients[parameter.name] = float(slope)
    return coefficients


def _real(value: ParameterExpression, where: str) -> float:
    number = complex(value)
    if number.imag != 0.0:
        raise ProgramError(
            f"{where} has the angle {value}, which is not real.",
            next_step="Rewrite the gate so that each of its angles is a real number.",
        )
    return number.real
