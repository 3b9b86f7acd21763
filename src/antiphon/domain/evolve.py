"""A changed copy of a frozen value, several times quicker than `dataclasses.replace`, on the path of every job."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")

_set = object.__setattr__


def evolve(value: Value, **changes: object) -> Value:
    """A copy of a frozen dataclass with slots, with some fields changed.

    Nothing is checked: for classes without `__post_init__`, and for names that are fields.
    """
    kind = type(value)
    copy = object.__new__(kind)
    for name in kind.__slots__:  # type: ignore[attr-defined]
        _set(copy, name, changes[name] if name in changes else getattr(value, name))
    return copy
