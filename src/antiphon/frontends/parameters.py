"""Parameter values as users write them, bound to a program's own parameters by name or by position."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.domain.parameters import NO_PARAMETERS, ParameterSets
from antiphon.domain.programs import Program
from antiphon.errors import ParameterError

Values = npt.NDArray[np.float64]


def bind(program: Program, values: Any = None) -> ParameterSets:
    """One finite float for every parameter of `program`, for one set or an array of sets.

    `values` is one of
      None: for a program without parameters;
      an array or sequence of shape (P,) or (…, P), in the program's own order; a number when P is 1;
      a mapping from names to numbers or arrays that broadcast against each other (NumPy's rules), giving sets of the
        broadcast shape. A key may also be a Qiskit Parameter, a SymPy symbol, or a ParameterVector (or its name), whose
        value has one more axis, the last, over its elements. A Cirq ParamResolver is such a mapping;
      a sequence of N such mappings of numbers: a sweep, of shape (N,).

    Raises:
        ParameterError: A parameter is unbound or unknown, a value is not a finite real number, or a shape does not fit.
    """
    names = program.parameters
    if type(values) is np.ndarray and values.dtype == np.float64:
        return _from_array(names, values)
    values = getattr(values, "param_dict", values)
    if values is None:
        return _from_array(names, np.empty(0)) if names else NO_PARAMETERS
    if isinstance(values, Mapping):
        return _from_mapping(names, values)
    if isinstance(values, Sequence) and values and all(_is_mapping(entry) for entry in values):
        return _from_sweep(names, values)
    array = _numbers(values, "the array of values")
    if array.ndim == 0 and len(names) == 1:
        array = array.reshape(1)
    return _from_array(names, array)


def as_array(sets: ParameterSets) -> Values:
    """The values as a read-only array of shape `sets.shape + (P,)` over the same memory."""
    return np.frombuffer(sets.data, dtype="<f8").reshape((*sets.shape, len(sets.names)))


def _from_array(names: tuple[str, ...], array: Values) -> ParameterSets:
    if array.ndim == 0 or array.shape[-1] != len(names):
        raise _wrong_length(names, array)
    if not np.isfinite(array).all():
        raise _not_finite(names, array)
    # Little-endian whatever the machine, so that equal values are equal bytes.
    return ParameterSets(names, array.shape[:-1], array.astype("<f8", copy=False).tobytes())


def _from_sweep(names: tuple[str, ...], mappings: Sequence[Any]) -> ParameterSets:
    rows = np.empty((len(mappings), len(names)))
    for position, mapping in enumerate(mappings):
        where = f"set {position} of the sweep"
        columns = _columns(names, getattr(mapping, "param_dict", mapping), where)
        for column, name in enumerate(names):
            value = columns[name]
            if value.ndim:
                raise ParameterError(
                    f"In {where} the parameter {name!r} has an array of shape {value.shape} for a value.",
                    next_step="Give one number for each parameter of a set, or one mapping of arrays for the sweep.",
                    details={"parameter": name},
                )
            rows[position, column] = value
    return _from_array(names, rows)


def _from_mapping(names: tuple[str, ...], mapping: Mapping[Any, Any]) -> ParameterSets:
    columns = _columns(names, mapping, "the mapping")
    if not names:
        return NO_PARAMETERS
    try:
        shape = np.broadcast_shapes(*(value.shape for value in columns.values()))
    except ValueError:
        shapes = ", ".join(f"{name}: {columns[name].shape}" for name in names)
        raise ParameterError(
            "The arrays of parameter values do not broadcast against each other.",
            cause=shapes,
            next_step="Give every parameter a number or arrays of shapes that fit by NumPy's rules.",
        ) from None
    stacked = np.empty((*shape, len(names)))
    for position, name in enumerate(names):
        stacked[..., position] = columns[name]
    return _from_array(names, stacked)


def _columns(names: tuple[str, ...], mapping: Mapping[Any, Any], where: str) -> dict[str, Values]:
    """An array for each parameter; every one bound exactly once."""
    known = set(names)
    columns: dict[str, Values] = {}
    unknown: list[str] = []
    for key, value in mapping.items():
        name = key if isinstance(key, str) else getattr(key, "name", None)
        if name is None:
            raise ParameterError(
                f"A key of {where} is a {type(key).__name__}, which names no parameter.",
                next_step="Use names, Parameter objects, ParameterVector objects or SymPy symbols as keys.",
            )
        if name in known:
            found = {name: _numbers(value, f"parameter {name!r}")}
        else:
            found = _elements(names, name, value)
            if not found:
                unknown.append(name)
        for element, column in found.items():
            if element in columns:
                raise ParameterError(
                    f"The parameter {element!r} is given twice in {where}.",
                    next_step="Give it once, by its own name or with its vector.",
                    details={"parameter": element},
                )
            columns[element] = column
    if unknown:
        raise _unknown(names, unknown)
    missing = [name for name in names if name not in columns]
    if missing:
        raise _unbound(names, missing)
    return columns


def _elements(names: tuple[str, ...], vector: str, value: Any) -> dict[str, Values]:
    """The elements vector[0], vector[1], … that the program has, each with its column of `value`."""
    positions = {
        name: int(name[len(vector) + 1 : -1])
        for name in names
        if name.startswith(f"{vector}[") and name.endswith("]") and name[len(vector) + 1 : -1].isdecimal()
    }
    if not positions:
        return {}
    array = _numbers(value, f"parameter vector {vector!r}")
    length = max(positions.values()) + 1
    if array.ndim == 0 or array.shape[-1] < length:
        raise ParameterError(
            f"The parameter vector {vector!r} has at least {length} elements; its value has the shape {array.shape}.",
            next_step="Give an array whose last axis runs over the elements of the vector.",
            details={"parameter": vector, "shape": list(array.shape)},
        )
    return {name: array[..., position] for name, position in positions.items()}


def _numbers(value: Any, what: str) -> Values:
    """`value` as float64; complex numbers, text and ragged sequences are refused rather than converted."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ParameterError(
            f"The value of {what} is not a rectangular array.",
            next_step="Give every set the same number of values.",
        ) from None
    if array.dtype.kind == "O":
        array = _objects(array, what)
    if array.dtype.kind not in "fiub":
        raise ParameterError(
            f"The value of {what} is of the type {array.dtype}, not a real number.",
            next_step="Give finite real numbers, in radians where they are angles.",
            details={"dtype": str(array.dtype)},
        )
    return array.astype(np.float64, copy=False)


def _objects(array: npt.NDArray[Any], what: str) -> Values:
    """Numbers of other libraries (Fraction, Decimal, SymPy), which NumPy keeps as objects."""
    try:
        return np.array([float(entry) for entry in array.ravel()]).reshape(array.shape)
    except (TypeError, ValueError):
        strange = next((entry for entry in array.ravel() if not _is_number(entry)), array.ravel()[0])
        raise ParameterError(
            f"The value of {what} holds {strange!r}, which is not a real number.",
            next_step="Give finite real numbers, in radians where they are angles.",
        ) from None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "param_dict")


def _listed(names: Iterable[str], most: int = 8) -> str:
    shown = list(names)
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(repr(name) for name in shown[:most]) + more


def _wrong_length(names: tuple[str, ...], array: Values) -> ParameterError:
    if not names:
        return ParameterError(
            "The program has no parameters, but values were given.",
            next_step="Leave the parameters out.",
            details={"shape": list(array.shape)},
        )
    if array.shape == (0,):
        return _unbound(names, names)
    return ParameterError(
        f"The program has {len(names)} parameters; the array of values has the shape {array.shape}.",
        cause=f"The last axis runs over the parameters, in the order {_listed(names)}.",
        next_step=f"Give an array of shape ({len(names)},) for one set, or (…, {len(names)}) for many.",
        details={"num_parameters": len(names), "shape": list(array.shape)},
    )


def _unbound(names: tuple[str, ...], missing: Sequence[str]) -> ParameterError:
    return ParameterError(
        f"{len(missing)} of {len(names)} parameters have no value: {_listed(missing)}.",
        next_step="Give a value for each, as a mapping of names or as an array in the program's own order.",
        code="parameter-unbound",
        details={"unbound": list(missing)},
    )


def _unknown(names: tuple[str, ...], unknown: Sequence[str]) -> ParameterError:
    close = {name: difflib.get_close_matches(name, names, n=2) for name in unknown}
    hints = [f"did you mean {_listed(matches)} for {name!r}?" for name, matches in close.items() if matches]
    own = f"The program has the parameters {_listed(names)}." if names else "The program has no parameters."
    return ParameterError(
        f"The program has no parameter named {_listed(unknown)}.",
        cause=own,
        next_step="; ".join(hints)[:1].upper() + "; ".join(hints)[1:] if hints else "Remove it from the values.",
        code="parameter-unknown",
        details={"unknown": list(unknown)},
    )


def _not_finite(names: tuple[str, ...], array: Values) -> ParameterError:
    *where, position = (int(axis) for axis in np.argwhere(~np.isfinite(array))[0])
    value = float(array[(*where, position)])
    place = f" in set {tuple(where) if len(where) > 1 else where[0]}" if where else ""
    kind = "not a number (NaN)" if math.isnan(value) else "infinite"
    return ParameterError(
        f"The value of the parameter {names[position]!r}{place} is {kind}.",
        next_step="Look for the step that produced it, e.g. an optimiser that diverged.",
        details={"parameter": names[position]},
    )
