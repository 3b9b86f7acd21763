from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from antiphon import Workspace
from antiphon.composition import build_engine
from antiphon.domain.identity import Role
from antiphon.engine.access.keys import create_key
from real_server import RealServer, command_line, environment, real_server

BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
WIDE = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[22] q; bit[22] c;'
    + " ".join(f"h q[{n}]; t q[{n}]; cx q[{n}], q[{(n + 1) % 22}];" for n in range(22)) * 12
    + "c = measure q;"
)


@pytest.fixture(scope="module")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Speaks HTTP with h11; the one without Azure with httptools."""
    with real_server(tmp_path_factory.mktemp("azure"), "--azure", "--body-seconds", "2") as found:
        yield found


@pytest.fixture(params=["server", "azure_server"])
def either(request: pytest.FixtureRequest) -> RealServer:
    found: RealServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with real_server(tmp_path_factory.mktemp("served"), "--max-body-bytes", "100000", "--body-seconds", "2") as found:
        yield found


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(*arguments), capture_output=True, text=True, env=environment(env), timeout=60, check=False
    )


def test_the_first_start_prints_one_key_and_the_next_none(tmp_path: Path) -> None:
    with real_server(tmp_path) as first:
        assert first.key.startswith("ant_")
        with first.client() as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/v1/whoami").json()["workspace"] == "default"
        assert first.key not in first.log()
    with real_server(tmp_path) as second:
        assert second.ready["first_key"] is None
        with second.client(first.key) as client:
            assert client.get("/v1/jobs").status_code == 200
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert first.key.encode() not in stored
    assert first.key.split("_")[2][:52].encode() not in stored


def test_people_see_the_key_and_the_address_on_stderr(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    process = subprocess.Popen(
        command_line("serve", "--home", str(tmp_path / "lab"), "--port", "0", "--ready-file", str(ready)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stderr is not None
        lines: list[str] = []
        while not any("listening on" in line for line in lines):
            line = process.stderr.readline()
            assert line, lines
            lines.append(line)
        facts = json.loads(ready.read_text())
        assert facts["url"] in lines[-1]
        assert lines[-1].startswith("Antiphon ")
        assert any(line.strip().startswith("ant_") for line in lines)
        assert httpx2.get(f"{facts['url']}/healthz", trust_env=False).json() == {"status": "ok"}
        process.terminate()
        stdout, _ = process.communicate(timeout=30)
        assert stdout == ""
        assert process.returncode == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_no_key_no_address_beyond_loopback(tmp_path: Path) -> None:
    done = run("serve", "--home", str(tmp_path), "--host", "0.0.0.0", "--port", "0", "--json")
    assert done.returncode not in {0, 2}
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert error["code"] == "authentication-missing"
    assert "keys create" in error["next_step"]
    assert done.stdout == ""


def test_a_revoked_or_expired_key_is_none(tmp_path: Path) -> None:
    made = run("keys", "create", "old", "--role", "admin", "--home", str(tmp_path), "--json")
    key = json.loads(made.stdout)
    assert run("keys", "revoke", key["id"], "--yes", "--home", str(tmp_path)).returncode == 0
    done = run("serve", "--home", str(tmp_path), "--host", "0.0.0.0", "--port", "0")
    assert done.returncode not in {0, 2}
    assert "Nobody could sign in" in done.stderr


def test_with_a_key_it_listens_beyond_loopback_and_warns_of_clear_text(tmp_path: Path) -> None:
    made = run("keys", "create", "ops", "--role", "admin", "--home", str(tmp_path), "--json")
    with real_server(tmp_path, "--host", "0.0.0.0") as server:
        assert server.ready["first_key"] is None
        assert "clear text" in server.log()
        with server.client(json.loads(made.stdout)["key"]) as client:
            assert client.get("/v1/jobs").status_code == 200
            assert address_in_log(server, client) == "127.0.0.1"
    with real_server(tmp_path, "--host", "0.0.0.0", "--behind-proxy") as server:
        assert "clear text" not in server.log()
        with server.client("") as client:
            assert address_in_log(server, client) == "203.0.113.9"


def test_a_default_secret(tmp_path: Path) -> None:
    secret = "ChangeMeChangeMe"
    done = run("serve", "--home", str(tmp_path), "--port", "0", "--json", env={"ANTIPHON_SERVER_SECRET": secret})
    assert done.returncode not in {0, 2}
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == "secret-weak"
    assert secret not in done.stderr


def test_a_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://ada:hush-hush@127.0.0.1:1/antiphon"
    done = run("serve", "--home", str(tmp_path), "--port", "0", "--debug", env={"ANTIPHON_DATABASE": url})
    assert done.returncode not in {0, 2}
    assert "hush-hush" not in done.stdout + done.stderr
    assert "Error:" in done.stderr


def test_a_port_in_use(server: RealServer, tmp_path: Path) -> None:
    done = run("serve", "--home", str(tmp_path), "--port", server.url.rpartition(":")[2], "--json")
    assert done.returncode not in {0, 2}
    assert json.loads(done.stderr.splitlines()[-1])["error"]["code"] == "address-unusable"


def test_a_request_is_found_in_the_log_by_its_id(server: RealServer) -> None:
    with server.client() as client:
        answer = client.get("/v1/jobs", headers={"X-Request-Id": "my-id-1"})
        assert answer.headers["X-Request-Id"] == "my-id-1"
        made = client.get("/v1/jobs", headers={"X-Request-Id": "not an id!"}).headers["X-Request-Id"]
        assert made.startswith("req_")
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    line = next(line for line in lines if line.get("request_id") == "my-id-1")
    assert (line["path"], line["status"], line["who"], line["workspace"]) == ("/v1/jobs", 200, "first", "default")


def test_headers_of_every_answer(server: RealServer) -> None:
    with server.client() as client:
        for path in ("/v1/jobs", "/v1/nothing", "/healthz"):
            headers = client.get(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "Cache-Control" in headers
            assert "server" not in headers
        headers = client.get("/v1/jobs").headers
        assert headers["RateLimit-Policy"] == '"default";q=60000;w=60'
        assert headers["RateLimit"].startswith('"default";r=')


def test_a_key_revoked_by_another_process_opens_nothing_soon(server: RealServer) -> None:
    made = json.loads(run("keys", "create", "brief", "--role", "viewer", "--home", str(server.home), "--json").stdout)
    with server.client(made["key"]) as client:
        assert client.get("/v1/jobs").status_code == 200
        run("keys", "revoke", made["id"], "--yes", "--home", str(server.home))
        deadline = time.monotonic() + 30
        while client.get("/v1/jobs").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert client.get("/v1/jobs").json()["code"] == "key-revoked"


def address_in_log(server: RealServer, client: httpx2.Client) -> str:
    """The address that the server takes a request to come from which says that it was passed on."""
    made = client.get("/v1/jobs", headers={"X-Forwarded-For": "203.0.113.9"}).headers["X-Request-Id"]
    # The line is written after the answer was sent.
    deadline = time.monotonic() + 20
    while not (found := [line for line in server.log().splitlines() if made in line and line.startswith("{")]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    address: str = json.loads(found[0])["address"]
    return address


@pytest.mark.parametrize("header", ["X-Api-Key", "x-ms-quantum-api-key"])
def test_other_headers_that_hold_keys(server: RealServer, header: str) -> None:
    with server.client("") as client:
        assert client.get("/v1/jobs").status_code == 401
        assert client.get("/v1/jobs", headers={header: server.key}).status_code == 200
        assert client.get("/v1/jobs", headers={header: server.key[:-1]}).status_code == 401


def test_bodies_too_large_announced_or_not(server: RealServer) -> None:
    with server.client() as client:
        answer = client.post("/v1/jobs", content=b"x" * 100_001)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        answer = client.post("/v1/jobs", content=(b"x" * 1000 for _ in range(200)))
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert client.get("/healthz").status_code == 200


def test_a_body_that_is_announced_as_huge_is_not_waited_for(server: RealServer) -> None:
    with connect(server) as wire:
        wire.sendall(head(server, "POST /v1/jobs", "Content-Length: 2000000000"))
        assert b" 413 " in until_closed(wire)[:40]


def test_a_body_that_comes_too_slowly(server: RealServer) -> None:
    with connect(server) as wire:
        wire.sendall(head(server, "POST /v1/jobs", "Content-Length: 50", "Content-Type: application/json") + b"{")
        answer = until_closed(wire)
        assert b" 408 " in answer[:40]
        assert b"body-too-slow" in answer


@pytest.mark.parametrize("sent", [b"", b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_come(either: RealServer, sent: bytes) -> None:
    with connect(either) as wire:
        wire.sendall(sent)
        assert until_closed(wire) == b""


def test_a_head_that_does_not_come_on_a_connection_that_is_kept(either: RealServer) -> None:
    with connect(either) as wire:
        wire.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while answer.count(b'"ok"') < 2:
            answer += wire.recv(65_536)
        wire.sendall(b"GET /livez HTTP/1.1\r\nX-A: ")
        assert until_closed(wire) == b""


def test_one_byte_now_and_then_does_not_keep_a_connection(either: RealServer) -> None:
    with connect(either) as wire:
        wire.settimeout(30)
        with pytest.raises(OSError):  # broken pipe or reset, as the machine likes it
            for byte in b"GET /livez HTTP/1.1\r\nX-Padding: " + b"a" * 1000:
                wire.sendall(bytes([byte]))
                time.sleep(0.1)


def test_a_head_without_end(either: RealServer) -> None:
    with connect(either) as wire:
        wire.settimeout(30)
        with pytest.raises(OSError):
            wire.sendall(b"GET /livez HTTP/1.1\r\n" + b"X-A: b\r\n" * 10_000_000)
    with either.client() as client:
        assert client.get("/livez").status_code == 200


def test_a_long_wait_and_an_unread_body_are_no_late_heads(either: RealServer) -> None:
    with either.client() as client:
        job = client.post("/v1/jobs", json={"target": "sim.auto", "program": WIDE, "shots": 10, "seed": 1})
        waited = client.get(job.headers["Location"], params={"wait": "5"})
        assert waited.status_code in {200, 303}
        client.post(job.headers["Content-Location"] + "/cancel")
    with connect(either) as wire:
        body = b"x" * 90_000
        wire.sendall(f"POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 6}\r\n\r\n".encode())
        wire.sendall(body)
        assert b" 404 " in wire.recv(100)


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 16_000, "[" * 40_000 + "]" * 40_000])
def test_deeply_nested_json(server: RealServer, text: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/jobs", content=text, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_stopping_finishes_what_runs_and_refuses_what_is_new(tmp_path: Path) -> None:
    with real_server(tmp_path, "--drain-seconds", "60") as server, server.client() as client:
        answer = client.post("/v1/jobs", json={"target": "sim.auto", "program": WIDE, "shots": 10, "seed": 1})
        assert answer.status_code == 202, answer.text
        where = answer.headers["Content-Location"]
        wait_until_status(client, where, {"Executing", "Succeeded"})
        if client.get(where).json()["status"] != "Executing":
            pytest.skip("this machine is too fast for the program")
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 20
        while client.get("/readyz").status_code == 200:
            assert time.monotonic() < deadline
        refused = client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL})
        assert (refused.status_code, refused.json()["code"]) == (503, "server-draining")
        assert int(refused.headers["Retry-After"]) >= 1
        assert server.process.wait(timeout=60) == 0
        assert told_of_its_end(server) == (60.0, True)
    with Workspace(tmp_path, dispatch=False) as after:
        assert after.job(where.rpartition("/")[2]).status == "Succeeded"


def test_what_does_not_finish_in_time_goes_back_into_the_queue(tmp_path: Path) -> None:
    with real_server(tmp_path, "--drain-seconds", "0") as server, server.client() as client:
        answer = client.post("/v1/jobs", json={"target": "sim.auto", "program": WIDE, "shots": 10, "seed": 1})
        where = answer.headers["Content-Location"]
        wait_until_status(client, where, {"Executing", "Succeeded"})
        running = client.get(where).json()["status"] == "Executing"
        assert server.stop() == 0
        assert told_of_its_end(server) == (0.0, not running)
    with Workspace(tmp_path, dispatch=False) as after:
        assert after.job(where.rpartition("/")[2]).status == ("Waiting" if running else "Succeeded")


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with real_server(tmp_path, "--drain-seconds", "600") as server, server.client() as client:
        answer = client.post("/v1/jobs", json={"target": "sim.auto", "program": WIDE, "shots": 10, "seed": 1})
        wait_until_status(client, answer.headers["Content-Location"], {"Executing", "Succeeded"})
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert server.stop(signal.SIGINT) == 0


def test_metrics_of_requests(server: RealServer) -> None:
    with server.client() as client:
        client.get("/v1")
        client.get("/v1/jobs/job_unknown")
        text = client.get("/metrics").text
    assert 'antiphon_http_requests_total{method="GET",route="/v1/jobs/{job_id}",status="404"}' in text
    assert 'antiphon_http_requests_total{method="GET",route="/v1",status="200"}' in text
    assert "job_unknown" not in text
    assert "antiphon_build_info" in text


def test_role_of_a_key_made_beside_the_server(server: RealServer) -> None:
    beside = build_engine(server.home, dispatch=False)
    _, text = create_key(beside.ctx, workspace="default", name="reader", role=Role.VIEWER, by="tests")
    beside.close()
    with server.client(text) as client:
        assert client.get("/v1/jobs").status_code == 200
        assert client.post("/v1/jobs", json={"target": "sim.auto", "program": BELL}).status_code == 403


def told_of_its_end(server: RealServer) -> tuple[float, bool]:
    """What the log says of a stop: how long it would wait, and whether all that ran has ended."""
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    stopping, stopped = (line for line in lines if str(line["event"]).startswith("stop"))
    return stopping["drain_seconds"], stopped["all_done"]


def wait_until_status(client: httpx2.Client, where: str, wanted: set[str]) -> None:
    deadline = time.monotonic() + 60
    while client.get(where).json()["status"] not in wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def connect(server: RealServer) -> socket.socket:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def head(server: RealServer, request: str, *more: str) -> bytes:
    lines = [f"{request} HTTP/1.1", "Host: antiphon", f"Authorization: Bearer {server.key}", *more, "", ""]
    return "\r\n".join(lines).encode()


def until_closed(wire: socket.socket) -> bytes:
    found = b""
    while part := wire.recv(65_536):
        found += part
    return found
