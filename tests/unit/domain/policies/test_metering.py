from __future__ import annotations

from antiphon.domain.circuits import Bit, Break, Circuit, For, Gate, If, Measure, Register, Unitary, While
from antiphon.domain.evolve import evolve
from antiphon.domain.gate_counts import Counting, Gates, Tasks, count_gates
from antiphon.domain.parameters import NO_PARAMETERS, ParameterSets
from antiphon.domain.policies.metering import WorkFacts, meter
from antiphon.domain.programs import Profile, Program, ProgramFormat
from antiphon.domain.queues import Priority
from antiphon.domain.work import JobKind, Plan, Pub, Work


def program(*operations: object, digest: str = "sha256:a", readable: bool = True) -> Program:
    registers = (Register("c", 2, 0),)
    return Program(
        format=ProgramFormat.OPENQASM3,
        source=b"",
        digest=digest,
        name="p",
        circuit=Circuit(3, registers, (), operations) if readable else None,  # type: ignore[arg-type]
        num_qubits=3,
        registers=registers,
        parameters=(),
        profile=Profile.BASE,
    )


H, CX, CCX = Gate("h", (0,)), Gate("cx", (0, 1)), Gate("ccx", (0, 1, 2))
PLAN = Plan(("e",), ("r",), 2.5, 0, safe_inline=True)
BELL = (H, CX, Measure(0, 0), Measure(1, 1))


def test_gates_count_by_arity_and_wider_ones_as_two_qubit_gates() -> None:
    assert count_gates(program(*BELL, CCX, Unitary((), (2,)))) == Gates(2, 7, 2)


def test_of_a_branch_the_larger_side_counts() -> None:
    branch = If(Bit(0), (H, H), (CX,))
    assert count_gates(program(H, branch)) == Gates(3, 1, 0, Counting.BOUND)


def test_a_counted_loop_is_exact_and_one_that_ends_on_a_measurement_is_not_known() -> None:
    assert count_gates(program(For(((H,), (H, Break()))))) == Gates(2, 0, 0)
    assert count_gates(program(While(Bit(0), (H,)), If(Bit(0), (H,)))) == Gates(2, 0, 0, Counting.UNKNOWN)
    assert count_gates(program(readable=False)) == Gates(0, 0, 2, Counting.UNKNOWN)


def test_alike_tasks_are_one_row_and_parameter_sets_are_tasks() -> None:
    sweep = ParameterSets(("x",), (50, 2), b"")
    pubs = (
        Pub(program(*BELL), NO_PARAMETERS, 1_000, 1),
        Pub(program(*BELL), sweep, 1_000, 2),
        Pub(program(H, digest="sha256:b"), NO_PARAMETERS, None, 3),
    )
    facts = meter(Work(JobKind.BATCH, pubs), PLAN, priority=Priority.HIGH, most_gates=10)
    assert facts.tasks == (Tasks(101, 1_000, 1_000, 1_000, 2_000), Tasks(1, 0, 0, 0, 0))
    assert (facts.num_tasks, facts.shots, facts.counting) == (102, 101_000, Counting.EXACT)
    assert WorkFacts.from_json(facts.to_json()) == facts
    assert facts.times(3).num_tasks == 306
    assert facts.times(3).seconds == 7.5


def test_tasks_are_taken_out_by_position() -> None:
    facts = WorkFacts(tasks=(Tasks(3, 1, 0, 0, 0), Tasks(1, 2, 0, 0, 0), Tasks(2, 3, 0, 0, 0)))
    left = facts.without([0, 3, 5])
    assert left.tasks == (Tasks(2, 1, 0, 0, 0), Tasks(1, 3, 0, 0, 0))


def test_a_plan_that_makes_several_tasks_of_a_program_says_what_is_charged() -> None:
    first, second = (Tasks(2, 10, 30, 0, 10), Tasks(1, 5, 5, 5, 5)), (Tasks(4, 1, 1, 1, 1),)
    pubs = tuple(Pub(program(*BELL), NO_PARAMETERS, 20, seed) for seed in (1, 2))
    facts = meter(Work(JobKind.BATCH, pubs), evolve(PLAN, tasks=(first, second)), most_gates=10)
    assert (facts.num_programs, facts.num_tasks, facts.shots) == (2, 7, 29)
    assert WorkFacts.from_json(facts.to_json()) == facts
    assert facts.without([0]).tasks == second
    assert facts.without([1]).tasks == first
    ran = facts.as_run([[Tasks(1, 3, 3, 0, 0).to_json()], []])
    assert (ran.shots, ran.num_programs, ran.seconds) == (3, 2, 2.5)


def test_on_a_device_its_own_seconds_count_whatever_its_emulation_takes_and_each_shot_has_its_share() -> None:
    pubs = tuple(Pub(program(*BELL), NO_PARAMETERS, shots, shots) for shots in (10, 30))
    facts = meter(Work(JobKind.BATCH, pubs), evolve(PLAN, device_s=4.0), most_gates=10)
    assert (facts.seconds, facts.after(0.01).seconds, facts.times(2).seconds) == (4.0, 4.0, 8.0)
    assert facts.without([1]).seconds == 1.0
    assert facts.as_run([[Tasks(1, 20, 0, 0, 0).to_json()], []]).seconds == 2.0
    assert WorkFacts.from_json(facts.to_json()) == facts
