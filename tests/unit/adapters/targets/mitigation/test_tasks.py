"""What is charged of a mitigated job, beside the gates of the circuits that it really runs on a simulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from antiphon.adapters.targets import emu, sim
from antiphon.adapters.targets.mitigation import mitigating
from antiphon.adapters.targets.mitigation.driver import MitigatingDriver
from antiphon.domain.evolve import evolve
from antiphon.domain.gate_counts import Counting, Tasks, count_gates
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import NO_PARAMETERS
from antiphon.domain.policies.metering import meter
from antiphon.domain.results import Execution
from antiphon.domain.work import JobKind, Plan, Pub, Work
from antiphon.frontends.recognise import to_program
from antiphon.ports.target_driver import TargetDriver

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
ENERGY = Observable(2, (("ZZ", 1.0), ("XX", 0.5)))
NOISE = {"depolarizing_1q": 0.001, "depolarizing_2q": 0.01, "readout_p01": 0.02, "readout_p10": 0.04}


class Counted:
    """A target that counts the gates of all circuits that it runs."""

    def __init__(self, inner: TargetDriver) -> None:
        self.inner, self.ran = inner, Counter[str]()
        self.info = inner.info

    def plan(self, work: Work) -> Plan:
        return self.inner.plan(work)

    def execute(self, work: Work, plan: Plan) -> Execution:
        for pub in work.pubs:
            gates, shots = count_gates(pub.program), (pub.shots or 0) * pub.parameters.num_sets
            self.ran.update(
                tasks=pub.parameters.num_sets,
                shots=shots,
                one=gates.one_qubit * shots,
                two=gates.two_qubit * shots,
                measured=gates.measured * shots,
            )
        return self.inner.execute(work, plan)


def estimate(mitigation: Mapping[str, Any], shots: int = 8_000, **options: Any) -> Work:
    pub = Pub(to_program(BELL), NO_PARAMETERS, shots, 5, (ENERGY,), ())
    return Work(JobKind.ESTIMATE, (pub,), {"mitigation": mitigation, "noise": NOISE, **options})


def sample(mitigation: Mapping[str, Any], shots: int = 1_000) -> Work:
    pub = Pub(to_program(BELL), NO_PARAMETERS, shots, 5)
    return Work(JobKind.SAMPLE, (pub,), {"mitigation": mitigation, "noise": NOISE})


def summed(rows: tuple[Tasks, ...]) -> Counter[str]:
    found = Counter[str]()
    for row in rows:
        found.update(
            tasks=row.tasks,
            shots=row.tasks * row.shots,
            one=row.tasks * row.one_qubit,
            two=row.tasks * row.two_qubit,
            measured=row.tasks * row.measured,
        )
    return found


@pytest.fixture
def counted() -> Counted:
    return Counted(sim.build_drivers()["sim.auto"])


@pytest.mark.parametrize(
    ("work", "near"),
    [
        (estimate({"zne": [1, 3]}), 1e-12),
        (estimate({"zne": {"factors": [1, 3, 5], "folding": "circuit"}, "sentinel": False}), 0.02),
        (estimate({"readout": True}), 0.02),
        (estimate({"readout": True, "zne": [1, 3], "twirling": 40}), 0.05),
        (sample({"readout": True}), 1e-12),
        (sample({"twirling": 200}, 20_000), 0.05),
        (estimate({"pec": 200}), 0.05),
    ],
    ids=lambda value: str(value.options["mitigation"]) if isinstance(value, Work) else "",
)
def test_the_plan_counts_what_runs(counted: Counted, work: Work, near: float) -> None:
    driver = MitigatingDriver(counted)
    plan = driver.plan(work)
    driver.execute(work, plan)
    planned = summed(plan.tasks[0])
    assert planned["shots"] == pytest.approx(counted.ran["shots"], abs=2)
    # Error cancellation may need fewer instances of circuits without noise than it may take.
    most = 1.1 if "pec" in work.options["mitigation"] else 1.0
    assert counted.ran["tasks"] <= planned["tasks"] <= most * counted.ran["tasks"]
    assert planned["two"] == pytest.approx(counted.ran["two"], rel=max(near, 0.005))
    assert planned["measured"] == pytest.approx(counted.ran["measured"], abs=4)
    # One-qubit gates of random instances are counted on average, those of the sentinel as the program's.
    assert planned["one"] == pytest.approx(counted.ran["one"], rel=0.25)


def test_folding_costs_what_it_repeats(counted: Counted) -> None:
    driver = MitigatingDriver(counted)
    plain = Work(JobKind.ESTIMATE, estimate({}).pubs, {"noise": NOISE})
    raw = meter(plain, driver.plan(plain), most_gates=10)
    work = estimate({"zne": [1, 3], "sentinel": False})
    folded = meter(work, driver.plan(work), most_gates=10)
    # Three quarters of the shots go to factor 1, a quarter to factor 3: 3/4 + 3/4 gates a shot.
    assert summed(raw.tasks)["two"] == 8_000
    assert summed(folded.tasks)["two"] == 12_000
    assert summed(folded.tasks)["shots"] == 8_000


def test_what_is_decided_on_the_way_is_told_afterwards(counted: Counted) -> None:
    driver = MitigatingDriver(counted)
    work = estimate({"readout": True, "sentinel": False}, 200_000, allocation={"precision": 0.05})
    plan = driver.plan(work)
    execution = driver.execute(work, plan)
    ran = meter(work, plan, most_gates=10).as_run(execution.provenance["tasks"])
    assert ran.shots == counted.ran["shots"] < 0.2 * meter(work, plan, most_gates=10).shots
    assert summed(ran.tasks)["two"] == counted.ran["two"]


def test_pulses_and_branches_are_counted() -> None:
    device = mitigating(emu.build_drivers()["emu.manila"])
    waits = (
        BELL.replace("qubit[2]", "qubit[3]")
        .replace("cx q[0], q[1];", "cx q[0], q[1]; cx q[1], q[2]; t q[1]; cx q[1], q[2]; h q[0];")
        .replace("c = measure q", "cx q[0], q[1]; c[0] = measure q[0]; c[1] = measure q[1]")
    )
    pub = evolve(sample({}).pubs[0], program=to_program(waits))
    work = Work(JobKind.SAMPLE, (pub,), {"mitigation": {"dynamical_decoupling": "XY4"}, "optimization_level": 0})
    told = summed(device.plan(work).tasks[0])
    assert told["one"] > count_gates(pub.program).one_qubit * 1_000
    # Four pulses in each wait.
    assert (told["one"] - count_gates(pub.program).one_qubit * 1_000) % 4_000 == 0
    branch = BELL.replace("c = measure q;", "c[0] = measure q[0]; if (c[0]) { x q[1]; } c[1] = measure q[1];")
    dynamic = Work(JobKind.SAMPLE, (evolve(pub, program=to_program(branch)),), {"mitigation": {"readout": True}})
    rows = device.plan(dynamic).tasks[0]
    assert {row.counting for row in rows} == {Counting.BOUND, Counting.EXACT}
