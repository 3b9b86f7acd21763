from typing import Any

import pytest

from antiphon.frontends.qir import program_from_qir
from antiphon.server.azure.shapes import display_of, holds_values, json_of, layout_of, value_of
from qsharp_programs import qir


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("One", 1, "1"),
        ("[One, Zero]", [1, 0], "[1, 0]"),
        ("(true, One, [1, 2])", (True, 1, [1, 2]), "(true, 1, [1, 2])"),
        ("(-3, 1e-07, false)", (-3, 1e-07, False), "(-3, 1e-07, false)"),
        ("(inf, -inf, nan)", ("Infinity", "-Infinity", "NaN"), "(Infinity, -Infinity, NaN)"),
        ("[]", [], "[]"),
        ("()", (), "()"),
        ("[Loss, One]", ["-", 1], "[-, 1]"),
    ],
)
def test_a_value_as_qsharp_shows_it(key: str, value: Any, shown: str) -> None:
    found = value_of(key, "values", {})
    assert found == value
    assert type(found) is type(value)
    assert display_of(found) == shown


@pytest.mark.parametrize(
    ("key", "shape", "value"),
    [
        ("1", "r", 1),
        ("011", ["a", 3], [1, 1, 0]),  # bit 0, the rightmost, was recorded first
        ("01 1", ["t", ["a", 1], ["a", 2]], ([1], [1, 0])),
        ("10", ["t", "r", "r"], (0, 1)),
        ("0 1 1", ["a", ["t", "r"], ["t", "r"], ["a", "r"]], [(1,), (1,), [0]]),
        ("01", ["t", ["a", 0], ["a", 2]], ([], [1, 0])),
    ],
)
def test_bits_go_back_into_their_shape(key: str, shape: Any, value: Any) -> None:
    assert value_of(key, "bits", {"shape": shape}) == value


def test_without_a_shape_registers_are_lists_in_the_order_shown() -> None:
    assert value_of("011", "bits", {}) == [0, 1, 1]
    assert value_of("01 0", "bits", {}) == ([0, 1], [0])
    assert value_of("01", "bits", {"shape": ["a", 3]}) == [0, 1]  # another size than was recorded


def test_tuples_are_objects_on_the_wire() -> None:
    assert json_of((1, [0, (True,)], 0.5)) == {"Item1": 1, "Item2": [0, {"Item1": True}], "Item3": 0.5}


@pytest.mark.parametrize(
    ("program", "shape", "values"),
    [
        ("ghz", ["a", 3], False),
        ("bell", ["t", "r", "r"], False),
        ("two_arrays", ["t", ["a", 2], ["a", 1]], False),
        ("nested", ["t", "r", ["t", "r", ["a", 2]]], False),
        ("nothing", ["t"], False),
        ("teleport", "r", False),
        ("count", "v", True),
        ("mixed", ["t", "v", "r", "v"], True),
    ],
)
def test_the_shape_is_what_the_program_records(program: str, shape: Any, values: bool) -> None:
    layout = layout_of(program_from_qir(qir(program)))
    assert layout["shape"] == shape
    assert holds_values(layout) is values
