import json
from collections import Counter
from typing import Any

import pytest

from antiphon.domain.batches import BatchItem, ItemEvent, ItemTrigger, advance_item
from antiphon.domain.jobs import Job, JobSpec, PubSpec
from antiphon.domain.results import Sampled, outcome_to_json
from antiphon.domain.work import JobKind
from antiphon.errors import UnsupportedProgramError
from antiphon.server.azure.outputs import (
    HONEYWELL,
    IONQ,
    LAYOUT,
    QUANTUM_V1,
    QUANTUM_V2,
    check_output_format,
    write_output,
)

PAIR = {"registers": [["low", 1], ["high", 2]]}


def job(*, pubs: int = 1, shots: int = 10, seed: int = 7) -> Job:
    spec = JobSpec(
        JobKind.SAMPLE if pubs == 1 else JobKind.BATCH,
        "sim.auto",
        tuple(PubSpec("sha256:0", (), "", shots, seed + i) for i in range(pubs)),
        seed,
    )
    return Job(id="job_1", workspace="default", spec=spec, name="job", created_by="me", created_at=0.0)


def sampled(counts: dict[str, int], outcomes: str = "bits") -> Sampled:
    return Sampled((), (counts,), sum(counts.values()), outcomes)


def written(output_format: str, *outcomes: Sampled, layout: list[Any] | None = None, **details: Any) -> Any:
    of = job(pubs=len(outcomes), shots=outcomes[0].shots)
    body, content_type = write_output(output_format, of, outcomes, {LAYOUT: layout, **details})
    assert content_type == "application/json"
    return json.loads(body)


def test_v2_has_histogram_and_shots() -> None:
    shape = {"shape": ["t", ["a", 2], "r"]}
    found = written(QUANTUM_V2, sampled({"0 10": 3, "1 01": 7}), layout=[shape])
    assert found["DataFormat"] == "microsoft.quantum-results.v2"
    [result] = found["Results"]
    assert result["Histogram"] == [
        {"Outcome": {"Item1": [0, 1], "Item2": 0}, "Display": "([0, 1], 0)", "Count": 3},
        {"Outcome": {"Item1": [1, 0], "Item2": 1}, "Display": "([1, 0], 1)", "Count": 7},
    ]
    shots = Counter(json.dumps(shot) for shot in result["Shots"])
    assert shots == {'{"Item1": [0, 1], "Item2": 0}': 3, '{"Item1": [1, 0], "Item2": 1}': 7}


def test_the_order_of_shots_is_the_seeds() -> None:
    outcome = sampled({"0": 50, "1": 50})
    first = write_output(QUANTUM_V2, job(seed=1), [outcome], {})
    assert first == write_output(QUANTUM_V2, job(seed=1), [outcome], {})
    assert first != write_output(QUANTUM_V2, job(seed=2), [outcome], {})
    shots = json.loads(first[0])["Results"][0]["Shots"]
    assert shots != sorted(shots)


def test_values_are_shown_and_typed() -> None:
    found = written(QUANTUM_V2, sampled({"(true, One, -2, 0.5)": 4}, "values"))
    assert found["Results"][0]["Histogram"] == [
        {
            "Outcome": {"Item1": True, "Item2": 1, "Item3": -2, "Item4": 0.5},
            "Display": "(true, 1, -2, 0.5)",
            "Count": 4,
        }
    ]


def test_a_batch_has_one_result_an_item() -> None:
    found = written(QUANTUM_V2, sampled({"0": 2}), sampled({"1": 2}), layout=[{"shape": "r"}, {"shape": ["a", 1]}])
    assert [result["Shots"] for result in found["Results"]] == [[0, 0], [[1], [1]]]


def test_a_failed_item_is_its_error() -> None:
    started = ItemEvent(trigger=ItemTrigger.STARTED, at=0.0)
    good, bad, never = BatchItem(0), BatchItem(1), BatchItem(2)
    good = advance_item(
        advance_item(good, started),
        ItemEvent(trigger=ItemTrigger.SUCCEEDED, at=1.0, outcome=outcome_to_json(sampled({"1": 10})), provenance={}),
    )
    error = {"code": "execution-failed", "message": "It fell over.", "cause": "gravity"}
    bad = advance_item(advance_item(bad, started), ItemEvent(trigger=ItemTrigger.FAILED, at=1.0, error=error))
    layout = [{"shape": "r"}] * 3
    body, _ = write_output(QUANTUM_V2, job(pubs=3), (), {LAYOUT: layout}, [good, bad, never])
    first, second, third = json.loads(body)["Results"]
    assert first["Shots"] == [1] * 10
    wire = {"Error": {"Code": "execution-failed", "Name": "It fell over.", "Message": "gravity"}}
    assert second["Histogram"] == [{"Outcome": wire, "Display": "Error execution-failed: It fell over.", "Count": 10}]
    assert second["Shots"] == [wire] * 10
    assert third["Histogram"][0]["Display"] == "Error cancelled: The item did not run."


def test_v1_alternates_displays_and_frequencies() -> None:
    found = written(QUANTUM_V1, sampled({"00": 1, "11": 3}), layout=[{"shape": ["a", 2]}])
    assert found == {"Histogram": ["[0, 0]", 0.25, "[1, 1]", 0.75]}


def test_ionqs_keys_are_numbers_with_qubit_0_least() -> None:
    assert written(IONQ, sampled({"001": 1, "100": 3})) == {"histogram": {"1": 0.25, "4": 0.75}}
    assert written(IONQ, sampled({"01 1": 4})) == {"histogram": {"3": 1.0}}


def test_ionqs_values_are_exact_where_the_engine_gave_exact_ones() -> None:
    exact = Sampled((), ({"0 1": 10},), 10, probabilities=({"0 1": 0.75, "1 0": 0.25},))
    assert written(IONQ, exact) == {"histogram": {"1": 0.75, "2": 0.25}}
    assert written(QUANTUM_V1, exact) == {"Histogram": ["([0], [1])", 1.0]}


def test_honeywell_has_strings_of_each_register_in_step() -> None:
    found = written(HONEYWELL, sampled({"10 1": 3, "01 0": 5}), layout=[PAIR])
    assert list(found) == ["high", "low"]
    assert Counter(zip(found["high"], found["low"], strict=True)) == {("10", "1"): 3, ("01", "0"): 5}


def test_honeywell_strings_are_turned_for_cirqs_decoder() -> None:
    found = written(HONEYWELL, sampled({"10 1": 2}), layout=[PAIR], metadata={"measurement_dict": "{}"})
    assert found == {"high": ["01", "01"], "low": ["1", "1"]}


def test_what_cannot_be_written_is_refused_before() -> None:
    check_output_format(QUANTUM_V2, [{}, {"shape": "v"}])
    check_output_format(QUANTUM_V1, [{"shape": "v"}])
    for output_format, layout, code in (
        ("rigetti.quil-results.v1", [{}], "output-format-unknown"),
        ("", [{}], "output-format-unknown"),
        (IONQ, [{}, {}], "output-format-single"),
        (HONEYWELL, [{"shape": ["t", "r", "v"]}], "output-format-values"),
    ):
        with pytest.raises(UnsupportedProgramError) as caught:
            check_output_format(output_format, layout)
        assert caught.value.code == code


def test_values_do_not_become_bits() -> None:
    for output_format in (IONQ, HONEYWELL):
        with pytest.raises(UnsupportedProgramError, match="no measurement results"):
            written(output_format, sampled({"(true, 1)": 4}, "values"))
