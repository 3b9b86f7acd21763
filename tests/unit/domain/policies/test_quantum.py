from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.policies.quantum import is_over, leaves_room

seconds = st.floats(min_value=0.0, max_value=1e6)


@given(ran=seconds, running=seconds, quantum=seconds)
def test_nothing_goes_ahead_behind_what_ends_after_the_quantum(ran: float, running: float, quantum: float) -> None:
    if leaves_room(ran, running, quantum):
        assert not is_over(ran, quantum)
        assert not is_over(ran + running, quantum)


def test_a_quantum_is_over_when_it_has_passed() -> None:
    assert not is_over(29.9, 30.0)
    assert is_over(30.0, 30.0)
