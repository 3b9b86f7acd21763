import json

import pytest
from hypothesis import given

from antiphon.adapters.targets.emu.tape_json import circuit_from_json, circuit_to_json
from antiphon.domain.circuits import Barrier, Circuit, Delay
from sim_work import circuit_of, dynamic_circuits, static_circuits


@given(static_circuits())
def test_static_circuits_come_back_to_the_bit(circuit: Circuit) -> None:
    assert circuit_from_json(json.loads(json.dumps(circuit_to_json(circuit)))) == circuit


@given(dynamic_circuits())
def test_dynamic_circuits_come_back_to_the_bit(circuit: Circuit) -> None:
    assert circuit_from_json(json.loads(json.dumps(circuit_to_json(circuit)))) == circuit


def test_times_and_barriers_come_back() -> None:
    circuit = circuit_of(2, 0, Delay(1, 1e-9 / 3), Barrier((0, 1)))
    assert circuit_from_json(circuit_to_json(circuit)) == circuit


@pytest.mark.parametrize("word", [["=unheard", 1], ["x"], [], ["x", 0]])
def test_what_it_did_not_write_is_refused(word: list[object]) -> None:
    data = {"num_qubits": 1, "registers": [], "parameters": [], "operations": [word]}
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        circuit_from_json(data)
