from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from antiphon.adapters.targets.vendors import process as process_module
from antiphon.adapters.targets.vendors.process import MOST_STARTS, PROCESSES, Launch, VendorProcess
from antiphon.errors import SecretError
from antiphon.ports.provider import AnswerLostError, RefusedByProviderError, TransientProviderError

DOUBLE = Path(__file__).parents[4] / "support" / "vendor_double"
Start = Callable[..., VendorProcess]
SENT: dict[str, Any] = {"key": "k-0", "device": "one", "programs": [{"shots": 5}]}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[VendorProcess] = []

    def one(
        settings: Mapping[str, Any] | None = None, secrets: Callable[[], Mapping[str, str]] = dict
    ) -> VendorProcess:
        settings = {"folder": str(tmp_path), **(settings or {})}
        launch = Launch("scripted", Path(sys.executable), settings, secrets, tmp_path / "log", path=(PROCESSES, DOUBLE))
        started.append(VendorProcess(launch))
        return started[-1]

    yield one
    for process in started:
        process.close()


def taken(folder: Path) -> list[str]:
    path = folder / "taken"
    return path.read_text().split() if path.exists() else []


def send(process: VendorProcess, what: str = "", **options: Any) -> dict[str, Any]:
    return process.call("send", **SENT, options={"what": what}, **options)


def test_what_an_sdk_prints_does_not_come_between_the_answers(start: Start, tmp_path: Path) -> None:
    assert start().hello()["devices"][0]["name"] == "one"
    assert "an SDK greets" in (tmp_path / "log").read_text()


def test_a_job_goes_through(start: Start) -> None:
    process = start()
    assert send(process)["id"] == "k-0"
    while process.call("look", job="k-0")["state"] != "succeeded":
        time.sleep(0.01)
    assert process.call("fetch", job="k-0") == {"results": [{"bits": {"0": 5}}]}
    assert process.call("find", key="k-0", since=0.0)["job"]["key"] == "k-0"
    assert process.call("find", key="other", since=0.0) == {"job": None}


def test_a_repeated_key_is_the_first_job(start: Start) -> None:
    process = start()
    assert send(process)["id"] == send(process)["id"]


@pytest.mark.parametrize("what", ["dies after", "dies before", "hangs", "garbage", "raises", "ambiguous"])
def test_a_send_without_an_answer_may_have_been_taken(start: Start, what: str) -> None:
    process = start()
    process.hello()
    with pytest.raises(AnswerLostError):
        send(process, what, timeout=2.0)


def test_after_a_send_that_hung_nothing_of_it_can_leave_any_more(start: Start) -> None:
    process = start()
    process.hello()
    pid = process.pid
    with pytest.raises(AnswerLostError):
        send(process, "hangs", timeout=1.0)
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert send(process)["state"] in ("queued", "running", "succeeded")


def test_a_refusal_took_nothing_and_a_busy_vendor_says_when(start: Start) -> None:
    process = start()
    with pytest.raises(RefusedByProviderError) as refused:
        send(process, "refused")
    assert "it is refused" in refused.value.cause
    with pytest.raises(TransientProviderError) as busy:
        send(process, "transient")
    assert busy.value.details["retry_after_s"] == 7.0


def test_a_question_without_an_answer_is_asked_again_later(start: Start) -> None:
    process = start()
    with pytest.raises(TransientProviderError, match="died"):
        process.call("look", job="dies")
    with pytest.raises(TransientProviderError, match="in time"):
        process.call("look", job="slow", timeout=0.5)
    assert process.call("look", job="nap0")["state"] == "running"


def test_who_is_often_silent_is_started_again(start: Start) -> None:
    process = start()
    process.hello()
    pid = process.pid
    for _ in range(3):
        with pytest.raises(TransientProviderError):
            process.call("look", job="slow", timeout=0.2)
    assert process.call("look", job="nap0")["state"] == "running"
    assert process.pid != pid


def test_killed_while_idle_it_is_started_again(start: Start) -> None:
    process = start()
    process.hello()
    psutil.Process(process.pid).kill()
    while process.pid is not None:
        time.sleep(0.01)
    assert send(process)["key"] == "k-0"


def test_it_is_not_started_again_and_again(start: Start) -> None:
    process = start({"no_hello": "dies"})
    for _ in range(MOST_STARTS):
        with pytest.raises(TransientProviderError, match="hello"):
            process.hello()
    with pytest.raises(TransientProviderError) as stopped:
        process.hello()
    assert 0 < stopped.value.details["retry_after_s"] <= 300


def test_a_vendor_that_wants_another_key_says_no(start: Start) -> None:
    with pytest.raises(RefusedByProviderError):
        start({"no_hello": "refused"}).hello()


def test_what_no_vendor_can_tell(start: Start) -> None:
    with pytest.raises(NotImplementedError):
        start().call("find", key="k", since=-1.0)
    with pytest.raises(NotImplementedError):
        start().call("dance")


def test_calls_run_side_by_side(start: Start) -> None:
    process = start()
    process.hello()
    order: list[str] = []

    def ask(job: str) -> None:
        process.call("look", job=job)
        order.append(job)

    slow = threading.Thread(target=ask, args=("nap1.5",))
    slow.start()
    ask("nap0")
    slow.join()
    assert order == ["nap0", "nap1.5"]


def test_secrets_go_over_the_pipe_and_nowhere_else(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_SOMETHING", "x")
    process = start(secrets=lambda: {"token": "very-secret"})
    assert process.hello()["secrets"] == ["token"]
    assert process.pid is not None
    running = psutil.Process(process.pid)
    assert "very-secret" not in " ".join(running.cmdline())
    assert "very-secret" not in json.dumps(running.environ())
    assert "ANTIPHON_SOMETHING" not in running.environ()
    assert "very-secret" not in repr(process._launch)


def test_a_secret_that_is_missing_keeps_everything_here(start: Start, tmp_path: Path) -> None:
    def missing() -> Mapping[str, str]:
        raise SecretError("There is no secret 'provider.x.y'.")

    with pytest.raises(TransientProviderError) as told:
        send(start(secrets=missing))
    assert "provider.x.y" in told.value.cause
    assert taken(tmp_path) == []


def test_a_process_that_cannot_start_took_nothing(tmp_path: Path) -> None:
    launch = Launch("scripted", tmp_path / "no" / "python", {}, dict)
    with pytest.raises(TransientProviderError) as told:
        VendorProcess(launch).call("send", **SENT)
    assert "providers install scripted" in told.value.next_step


def test_it_ends_with_who_started_it(tmp_path: Path) -> None:
    """Killed in one blow, with nobody left to close the pipe on purpose."""
    code = f"""
import sys, time
from pathlib import Path
from antiphon.adapters.targets.vendors.process import PROCESSES, Launch, VendorProcess
launch = Launch("scripted", Path(sys.executable), {{"folder": {str(tmp_path)!r}}}, dict,
                path=(PROCESSES, Path({str(DOUBLE)!r})))
process = VendorProcess(launch)
process.hello()
print(process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    child.wait(timeout=30)


def test_after_close_nothing_is_started(start: Start) -> None:
    process = start()
    process.hello()
    process.close()
    with pytest.raises(TransientProviderError):
        process.hello()
    assert process.pid is None


def test_close_does_not_wait_for_a_hello(start: Start) -> None:
    process = start({"no_hello": "hangs"})

    def ask() -> None:
        with pytest.raises(TransientProviderError):
            process.hello()

    asking = threading.Thread(target=ask)
    asking.start()
    while process.pid is None:
        time.sleep(0.01)
    process.close()
    asking.join(30)
    assert not asking.is_alive()
    assert process.pid is None


OUT_OF_ORDER = """
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    if request["call"] == "hello":
        print(json.dumps({"id": request["id"], "ok": {"devices": []}}), flush=True)
        continue
    while True:
        sys.stdout.write(%s)
        sys.stdout.flush()
"""


@pytest.mark.parametrize(
    "says",
    [
        "json.dumps({'id': request['id']}) + chr(10)",
        "json.dumps({'id': request['id'], 'error': 'text'}) + chr(10)",
        "json.dumps({'id': request['id'], 'ok': [1]}) + chr(10)",
        "json.dumps({'id': [1], 'ok': {}}) + chr(10)",
        "'[' * 100_000 + chr(10)",
        pytest.param("'x' * 2**16", id="a line without end"),
    ],
)
@pytest.mark.parametrize(("call", "kind"), [("look", TransientProviderError), ("send", AnswerLostError)])
def test_what_is_no_answer_ends_the_process_at_once_and_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, call: str, kind: type[Exception]
) -> None:
    monkeypatch.setattr(process_module, "LARGEST_LINE", 2**20)
    package = tmp_path / "vendor_process"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(OUT_OF_ORDER % says)
    process = VendorProcess(Launch("wild", Path(sys.executable), {}, dict, tmp_path / "log", path=(tmp_path,)))
    try:
        process.hello()
        with pytest.raises(kind, match="died"):
            process.call(call, timeout=60.0)
        assert process.pid is None
    finally:
        process.close()


TELLS = """
from vendor_process.serving import RefusedError


def connect(settings, secrets):
    raise RefusedError(f"POST /?key={secrets['token']} said 403")
"""


def test_a_secret_in_the_error_of_an_sdk_stays_in_its_process(tmp_path: Path) -> None:
    shutil.copytree(PROCESSES / "vendor_process", tmp_path / "vendor_process")
    folder = tmp_path / "vendor_process" / "telling"
    folder.mkdir()
    (folder / "provider.py").write_text(TELLS)
    secrets = {"token": 'hush"hush'}
    process = VendorProcess(
        Launch("telling", Path(sys.executable), {}, lambda: secrets, tmp_path / "log", path=(tmp_path,))
    )
    try:
        with pytest.raises(RefusedByProviderError) as refused:
            process.hello()
        assert "key=*** said 403" in str(refused.value)
    finally:
        process.close()
