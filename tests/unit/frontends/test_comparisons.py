import operator

import pytest

from antiphon.domain.circuits import Bit, Condition
from antiphon.frontends import comparisons
from reference_simulator import holds

WIDTH = 3


def _register(offset: int) -> list[Condition]:
    return [Bit(offset + position) for position in range(WIDTH)]


def _bits(value: int, width: int = WIDTH) -> list[int]:
    return [value >> position & 1 for position in range(width)]


@pytest.mark.parametrize("left", range(8))
@pytest.mark.parametrize("right", range(8))
def test_registers_compare_as_their_numbers(left: int, right: int) -> None:
    bits = _bits(left) + _bits(right)
    a, b = _register(0), _register(WIDTH)

    assert holds(comparisons.equal(a, b), bits) == (left == right)
    assert holds(comparisons.less(a, b), bits) == (left < right)


@pytest.mark.parametrize("constant", range(20))
def test_a_register_compares_with_a_constant_of_any_width(constant: int) -> None:
    number = comparisons.constant(constant)
    for value in range(8):
        bits = _bits(value)
        assert holds(comparisons.equal(_register(0), number), bits) == operator.eq(value, constant)
        assert holds(comparisons.less(_register(0), number), bits) == operator.lt(value, constant)
        assert holds(comparisons.less(number, _register(0)), bits) == operator.lt(constant, value)


def test_constants_are_folded() -> None:
    bit = Bit(0)

    assert comparisons.all_of([True, bit]) == bit
    assert comparisons.all_of([bit, False]) is False
    assert comparisons.any_of([bit, True]) is True
    assert comparisons.any_of([]) is False
    assert comparisons.negate(comparisons.negate(bit)) == bit
    assert comparisons.differ(bit, False) == bit
    assert comparisons.equal([bit], comparisons.constant(2)) is False
