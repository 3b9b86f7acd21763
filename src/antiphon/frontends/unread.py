"""Leaves out what a program computes into classical bits and nobody reads: it changes no outcome."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from antiphon.domain.circuits import AssignBit, For, If, Operation, While, bits_read


def without_unread(operations: Sequence[Operation], wanted: Collection[int]) -> tuple[Operation, ...]:
    """The operations without assignments to bits that decide nothing.

    A bit decides something if it is one of `wanted`, if a branch or loop asks it, or if it is read to compute a bit
    that does. A counter that is read only to count on does not. Measurements stay.
    """
    while True:
        kept = _kept(operations, _deciding(operations, wanted))
        if _same((kept,), (tuple(operations),)):
            return kept
        operations = kept


def _deciding(operations: Iterable[Operation], wanted: Collection[int]) -> set[int]:
    reads: dict[int, set[int]] = {}
    found: set[int] = set()
    _gather(operations, reads, found)
    found.update(wanted)
    stack = list(found)
    while stack:
        for bit in reads.get(stack.pop(), ()):
            if bit not in found:
                found.add(bit)
                stack.append(bit)
    return found


def _gather(operations: Iterable[Operation], reads: dict[int, set[int]], asked: set[int]) -> None:
    """Add what each assigned bit is computed from, and the bits that branches and loops ask."""
    for operation in operations:
        match operation:
            case AssignBit(clbit, value):
                reads.setdefault(clbit, set()).update(bits_read(value))
            case If(condition, then, otherwise):
                asked |= bits_read(condition)
                _gather(then, reads, asked)
                _gather(otherwise, reads, asked)
            case While(condition, body):
                asked |= bits_read(condition)
                _gather(body, reads, asked)
            case For(bodies):
                for body in bodies:
                    _gather(body, reads, asked)
            case _:
                pass


def _kept(operations: Sequence[Operation], deciding: set[int]) -> tuple[Operation, ...]:
    kept: list[Operation] = []
    for operation in operations:
        match operation:
            case AssignBit(clbit, _) if clbit not in deciding:
                continue
            case If(condition, then, otherwise):
                ways = _kept(then, deciding), _kept(otherwise, deciding)
                if not ways[0] and not ways[1]:
                    continue
                kept.append(operation if _same(ways, (then, otherwise)) else If(condition, *ways))
            case While(condition, body):
                inside = _kept(body, deciding)
                kept.append(operation if _same((inside,), (body,)) else While(condition, inside))
            case For(bodies):
                turns = tuple(_kept(body, deciding) for body in bodies)
                kept.append(operation if _same(turns, bodies) else For(turns))
            case _:
                kept.append(operation)
    return tuple(kept)


def _same(found: Sequence[tuple[Operation, ...]], before: Sequence[tuple[Operation, ...]]) -> bool:
    return all(
        len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True)) for a, b in zip(found, before, strict=True)
    )
