import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.programs import Profile, Program, ProgramFormat, digest_of
from antiphon.errors import ParameterError
from antiphon.frontends.parameters import as_array, bind


def program(*names: str) -> Program:
    return Program(
        ProgramFormat.OPENQASM3,
        b"",
        digest_of(ProgramFormat.OPENQASM3, b""),
        "",
        None,
        1,
        (),
        names,
        Profile.BASE,
    )


TWO = program("theta", "phi")


def test_no_parameters_need_no_values() -> None:
    nothings: list[Any] = [None, [], {}, np.empty(0)]
    for nothing in nothings:
        assert bind(program(), nothing) == NO_PARAMETERS


def test_an_array_is_taken_in_the_programs_order() -> None:
    sets = bind(TWO, np.array([0.1, 0.2]))

    assert sets.names == ("theta", "phi")
    assert sets.shape == ()
    assert as_array(sets).tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    "values", [[1, 2], (1.0, 2.0), [Fraction(1), 2], np.array([1, 2]), np.array([1, 2], dtype=np.float32)]
)
def test_any_sequence_of_numbers_will_do(values: Any) -> None:
    assert as_array(bind(TWO, values)).tolist() == [1.0, 2.0]


def test_leading_axes_are_the_shape_of_the_sets() -> None:
    values = np.arange(12.0).reshape(3, 2, 2)
    sets = bind(TWO, values)

    assert sets.shape == (3, 2)
    assert sets.num_sets == 6
    assert np.array_equal(as_array(sets), values)


def test_arrays_in_other_memory_layouts_keep_their_values() -> None:
    values = np.arange(6.0).reshape(2, 3).T

    assert np.array_equal(as_array(bind(TWO, values)), values)


def test_the_view_shares_memory_and_is_read_only() -> None:
    view = as_array(bind(TWO, [1.0, 2.0]))

    assert not view.flags.writeable
    assert not view.flags.owndata


@given(hnp.arrays(np.float64, (4, 2), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_every_bit_of_a_value_is_kept(values: Any) -> None:
    assert as_array(bind(TWO, values)).tobytes() == values.tobytes()


def test_a_number_binds_a_single_parameter() -> None:
    assert as_array(bind(program("t"), 0.5)).tolist() == [0.5]


def test_mappings_broadcast_like_numpy() -> None:
    sets = bind(TWO, {"phi": np.array([1.0, 2.0, 3.0]), "theta": np.array([[10.0], [20.0]])})

    assert sets.shape == (2, 3)
    assert as_array(sets)[1, 2].tolist() == [20.0, 3.0]


def test_keys_may_be_parameters_of_the_sdks() -> None:
    from qiskit.circuit import Parameter, ParameterVector

    assert as_array(bind(TWO, {Parameter("phi"): 2, sympy.Symbol("theta"): 1})).tolist() == [1.0, 2.0]
    vector = program("v[0]", "v[1]", "v[10]", "w")
    values = np.arange(11.0)
    for key in (ParameterVector("v", 11), "v"):
        assert as_array(bind(vector, {key: values, "w": 5})).tolist() == [0.0, 1.0, 10.0, 5.0]


def test_a_cirq_resolver_is_a_mapping() -> None:
    import cirq

    assert as_array(bind(TWO, cirq.ParamResolver({"theta": 1.0, "phi": 2.0}))).tolist() == [1.0, 2.0]


def test_a_list_of_mappings_is_a_sweep() -> None:
    sets = bind(TWO, [{"theta": 1, "phi": 2}, {"phi": 4, "theta": 3}])

    assert sets.shape == (2,)
    assert as_array(sets).tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_named(bad: float) -> None:
    with pytest.raises(ParameterError, match="'phi'"):
        bind(TWO, np.array([0.0, bad]))
    with pytest.raises(ParameterError, match=r"'theta'.* in set 1"):
        bind(TWO, {"theta": [0.0, bad], "phi": 0.0})


@pytest.mark.parametrize("bad", [[1j, 0], ["a", "b"], [None, 1.0], [[1.0], [1.0, 2.0]], "text", object()])
def test_what_is_not_a_real_number_is_refused(bad: Any) -> None:
    with pytest.raises(ParameterError):
        bind(TWO, bad)


@pytest.mark.parametrize("values", [[1.0], [1.0, 2.0, 3.0], 1.0, np.zeros((2, 3))])
def test_a_wrong_length_says_the_right_one(values: Any) -> None:
    with pytest.raises(ParameterError, match="2 parameters"):
        bind(TWO, values)


def test_unbound_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match="'phi'") as caught:
        bind(TWO, {"theta": 1.0})
    assert caught.value.code == "parameter-unbound"
    nothings: list[Any] = [None, {}, []]
    for nothing in nothings:
        with pytest.raises(ParameterError, match="'theta', 'phi'"):
            bind(TWO, nothing)


def test_unknown_parameters_are_named_with_the_closest() -> None:
    with pytest.raises(ParameterError, match="'thetta'") as caught:
        bind(TWO, {"thetta": 1.0, "phi": 2.0, "theta": 0.0})
    assert caught.value.code == "parameter-unknown"
    assert "'theta'" in caught.value.next_step


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(ParameterError, match="twice"):
        bind(program("v[0]"), {"v": [1.0], "v[0]": 1.0})


def test_values_for_a_program_without_parameters_are_refused() -> None:
    with pytest.raises(ParameterError, match="no parameters"):
        bind(program(), [1.0])


def test_arrays_that_do_not_broadcast_say_their_shapes() -> None:
    with pytest.raises(ParameterError, match="broadcast"):
        bind(TWO, {"theta": [1.0, 2.0], "phi": [1.0, 2.0, 3.0]})


def test_a_vector_that_is_too_short_says_how_long() -> None:
    with pytest.raises(ParameterError, match="at least 2"):
        bind(program("v[0]", "v[1]"), {"v": [1.0]})


def test_an_array_inside_a_sweep_is_refused() -> None:
    with pytest.raises(ParameterError, match="set 0"):
        bind(TWO, [{"theta": [1.0, 2.0], "phi": 1.0}])
