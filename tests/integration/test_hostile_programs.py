"""Programs made to hurt who reads them: the server refuses them and goes on."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from antiphon import JobStatus, Workspace, composition
from antiphon.adapters.executors.places import MOST_EACH
from antiphon.adapters.executors.reading import ReadingCodec
from mutation import BELL_BODY, FORMATS, body_of, damaged, valid
from programs import BELL
from served import Served, served

pytestmark = pytest.mark.xdist_group("hostile-programs")
READ_SECONDS = 6.0
MANY = int(os.environ.get("ANTIPHON_FUZZ_EXAMPLES", "500"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "ReadingCodec", partial(ReadingCodec, readers=1, seconds=READ_SECONDS))
        with served(tmp_path_factory.mktemp("home")) as running:
            yield running


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[httpx2.Client]:
    with server.client() as client:
        client.timeout = httpx2.Timeout(90)
        yield client


def post(client: httpx2.Client, body: dict[str, Any]) -> httpx2.Response:
    answer = client.post("/v1/jobs", json=body)
    if answer.status_code != 202:
        assert 400 <= answer.status_code < 500, answer.text
        problem = answer.json()
        assert problem["title"]
        assert problem["solution"]
    return answer


def works(client: httpx2.Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.post("/v1/jobs", json=BELL_BODY).status_code == 202


def fuzz(client: httpx2.Client, kind: str, examples: int) -> Counter[int]:
    seen: Counter[int] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(damaged(valid(kind)))
    def submit(source: bytes) -> None:
        seen[post(client, body_of(kind, source)).status_code] += 1

    submit()
    return seen


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_damaged_here_is_whole_before(client: httpx2.Client, kind: str) -> None:
    # Parameters that are not bound are the only reason to refuse it.
    answer = post(client, body_of(kind, valid(kind)))
    assert answer.status_code == 202 or answer.json()["code"] == "parameter-unbound", answer.text


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_programs_are_refused_or_run_and_the_server_goes_on(client: httpx2.Client, kind: str) -> None:
    seen = fuzz(client, kind, 40)
    print(kind, dict(seen))
    assert sum(seen.values()) >= 40
    assert seen.keys() - {202}, "nothing was damaged"
    works(client)


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", FORMATS)
def test_many_damaged_programs_are_refused_or_run_and_the_server_goes_on(client: httpx2.Client, kind: str) -> None:
    print(kind, dict(fuzz(client, kind, MANY)))
    works(client)


def nested_cirq(levels: int) -> bytes:
    inner: Any = {"cirq_type": "FrozenCircuit", "moments": []}
    for _ in range(levels):
        operation = {
            "cirq_type": "CircuitOperation",
            "circuit": inner,
            "repetitions": 1000,
            "qubit_map": [],
            "measurement_key_map": {},
            "param_resolver": {"cirq_type": "ParamResolver", "param_dict": []},
            "repetition_ids": None,
            "parent_path": [],
        }
        inner = {"cirq_type": "FrozenCircuit", "moments": [{"cirq_type": "Moment", "operations": [operation]}]}
    return json.dumps({**inner, "cirq_type": "Circuit"}).encode()


def qir_calls(levels: int) -> bytes:
    twice = "".join(
        f"define void @f{n}() {{\n call void @f{n - 1}()\n call void @f{n - 1}()\n ret void\n}}\n"
        for n in range(1, levels)
    )
    return (
        "define void @f0() {\n ret void\n}\n"
        + twice
        + f"define void @main() #0 {{\n call void @f{levels - 1}()\n ret void\n}}\n"
        + 'attributes #0 = { "entry_point" "required_num_qubits"="1" "required_num_results"="0" }\n'
    ).encode()


HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "qasm: empty loops": (
        "openqasm3",
        lambda: b"OPENQASM 3.0; for int i in [0:99999] { for int j in [0:99999] {} }",
    ),
    "qasm: doubling gates": (
        "openqasm2",
        lambda: (
            'OPENQASM 2.0; include "qelib1.inc"; gate g0 a { x a; } '
            + "".join(f"gate g{i} a {{ g{i - 1} a; g{i - 1} a; }} " for i in range(1, 80))
            + "qreg q[1]; g79 q[0];"
        ).encode(),
    ),
    "qasm: a gate of itself": ("openqasm2", lambda: b"OPENQASM 2.0; gate g a { g a; } qreg q[1]; g q[0];"),
    "qasm: a huge register": ("openqasm3", lambda: b"OPENQASM 3.0; qubit[99999999999] q; bit[99999999999] c;"),
    "qasm: a huge power": ("openqasm3", lambda: b"OPENQASM 3.0; qubit q; const int n = 9**9**9**9; rx(n) q;"),
    "qasm: deep brackets": ("openqasm3", lambda: b"OPENQASM 3.0; qubit q; rx(" + b"(" * 100_000 + b") q;"),
    "qasm: deep blocks": ("openqasm3", lambda: b"OPENQASM 3.0; bit c; " + b"if (c) { " * 50_000),
    "qasm: many signs": ("openqasm3", lambda: b"OPENQASM 3.0; qubit q; rx(" + b"-" * 100_000 + b"1) q;"),
    "qasm: long number": ("openqasm2", lambda: b"OPENQASM 2.0; qreg q[" + b"9" * 100_000 + b"];"),
    "qir: doubling calls": ("qir-text", lambda: qir_calls(60)),
    "qir: deep constants": (
        "qir-text",
        lambda: b"@a = global i64 " + b"add (i64 1, i64 " * 20_000 + b"1" + b")" * 20_000 + b"\n",
    ),
    "qir: deep types": ("qir-text", lambda: b"%T = type " + b"{ " * 50_000 + b"}" * 50_000),
    "qir: deep pointers": ("qir-text", lambda: b"declare void @f(i8" + b"*" * 200_000 + b")\n"),
    "qir: bitcode of nothing": ("qir-bitcode", lambda: b"BC\xc0\xde" + b"\xff" * 5_000),
    "qir: wide integers": ("qir-text", lambda: b"@a = global i8388607 " + b"9" * 100_000 + b"\n"),
    "cirq: deep repetitions": ("cirq-json", lambda: nested_cirq(25)),
    "cirq: deep lists": (
        "cirq-json",
        lambda: b'{"cirq_type": "Circuit", "moments": ' + b"[" * 99_999 + b"]" * 99_999 + b"}",
    ),
    "ionq: too many gates": (
        "ionq-json",
        lambda: b'{"qubits": 1, "circuit": [' + b",".join([b'{"gate":"x","target":0}'] * 600_000) + b"]}",
    ),
    "ionq: huge numbers": (
        "ionq-json",
        lambda: b'{"qubits": 1e999, "circuit": [{"gate": "rx", "rotation": NaN, "target": 0}]}',
    ),
    "ionq: deep lists": ("ionq-json", lambda: b'{"circuit": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "qpy: counts of everything": ("qpy", lambda: valid("qpy")[:30] + b"\x7f\xff\xff\xff" * 200),
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_program_made_to_hurt_is_refused_and_the_server_goes_on(client: httpx2.Client, name: str) -> None:
    kind, make = HOSTILE[name]
    begun = time.perf_counter()
    answer = post(client, body_of(kind, make()))
    said = answer.json()
    print(name, said.get("code"), str(said.get("detail"))[:100], f"{time.perf_counter() - begun:.1f} s")
    if answer.status_code == 202:
        # Nothing is wrong with its form: what runs it has limits of its own.
        client.get(f"/v1/jobs/{said['id']}/status", headers={"Prefer": "wait=55"}, follow_redirects=False)
        ended = client.get(f"/v1/jobs/{said['id']}")
        assert ended.json()["status"] == "Failed", ended.text
        assert ended.json()["error"]["next_step"]
    else:
        assert answer.status_code == 422
    works(client)


@pytest.mark.timeout(180)
def test_many_endless_programs_at_once_leave_room_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "ReadingCodec", partial(ReadingCodec, readers=1, seconds=0.5))
    ended: list[httpx2.Response] = []
    turns = 0
    with served(tmp_path) as server:

        def ask(number: int) -> None:
            text = f"OPENQASM 3.0; for int i in [0:99999] {{ for int j in [0:99999] {{ }} }} // {number}"
            with server.client(name=f"hostile-{number}") as own:
                own.timeout = httpx2.Timeout(120)
                ended.append(own.post("/v1/jobs", json=body_of("openqasm3", text.encode())))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        with server.client() as client:
            while any(thread.is_alive() for thread in threads):
                works(client)
                turns += 1
        for thread in threads:
            thread.join()
    codes = Counter((answer.status_code, answer.json()["code"]) for answer in ended)
    print(dict(codes), turns)
    assert turns > 5
    assert codes.keys() == {(422, "program-unreadable"), (503, "readers-busy")}
    assert codes[422, "program-unreadable"] >= MOST_EACH
    assert all(answer.headers["Retry-After"] for answer in ended if answer.status_code == 503)


def test_a_stored_program_that_cannot_be_read_ends_its_job_and_not_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2];' + "cx q[0], q[1];" * 20_000 + "measure q -> c;"
    with Workspace(tmp_path, workers=0, dispatch=False) as ws:
        target = ws.target("sim.auto")
        jobs = [target.submit(program, shots=5, execution="process").id for program in (slow, BELL)]
    monkeypatch.setattr(composition, "ReadingCodec", partial(ReadingCodec, readers=1, seconds=0.2))
    engine = composition.build_engine(tmp_path, workers=1, read_apart=True)
    try:
        with Workspace(tmp_path, workers=0, dispatch=False) as ws:
            for job in jobs:
                ws.job(job).wait(90)
            error = ws.job(jobs[0]).facts.error
            assert error is not None
            assert error["code"] == "program-unreadable"
            assert ws.job(jobs[1]).status is JobStatus.SUCCEEDED
    finally:
        engine.close()


@given(st.sampled_from(FORMATS), st.data())
@settings(max_examples=20, deadline=None)
def test_damage_is_damage(kind: str, data: st.DataObject) -> None:
    assert isinstance(data.draw(damaged(valid(kind))), bytes)
