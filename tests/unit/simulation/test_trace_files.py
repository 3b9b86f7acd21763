from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.domain.queues import Priority
from antiphon.domain.traces import TraceJob
from antiphon.errors import InvalidRequestError
from antiphon.simulation.trace_files import Problem, look_through, read_trace, write_trace

SUFFIXES = ("jsonl", "csv", "jsonl.gz", "csv.gz")
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
seconds = st.integers(0, 10**13).map(lambda micros: micros / 1e6)
jobs = st.builds(
    TraceJob,
    submitted_at=seconds,
    workspace=names,
    user=names,
    target=names,
    priority=st.sampled_from(Priority),
    session=st.none() | names,
    kind=st.sampled_from(["sample", "estimate", "batch", "sweep"]),
    planned_s=seconds,
    run_s=st.none() | seconds,
    wait_s=st.none() | seconds,
    outcome=st.sampled_from(["Succeeded", "Failed", "Cancelled"]),
)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(trace=st.lists(jobs, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, trace: list[TraceJob]) -> None:
    path = tmp_path / f"trace.{suffix}"
    assert write_trace(path, trace) == len(trace)
    assert list(read_trace(path)) == trace
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


LINE = '{"submitted_at": 1, "workspace": "w", "user": "u", "target": "t", "planned_s": 2'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (LINE + "}\n{\n", 2, "no JSON"),
        (LINE + "}\n\n[1]\n", 3, "no JSON object"),
        (LINE + ', "run": 3}', 1, "there is no field 'run'"),
        ('{"submitted_at": 1}', 1, "workspace, user, target, planned_s is missing"),
        (LINE + ', "run_s": "long"}', 1, "run_s is no number: 'long'"),
        (LINE + ', "run_s": true}', 1, "run_s is no number"),
        (LINE + ', "run_s": NaN}', 1, "run_s is no number"),
        (LINE + ', "wait_s": -1}', 1, "wait_s is negative"),
        (LINE + ', "priority": "Low"}', 1, "not one of Standard, High"),
        (LINE + ', "kind": "loop"}', 1, "not one of sample, estimate, batch, sweep"),
        (LINE + ', "outcome": 7}', 1, "not one of Cancelled, Failed, Succeeded"),
        (LINE.replace('"w"', '""') + "}", 1, "workspace is no name"),
        (LINE.replace(": 1,", ': "yesterday",') + "}", 1, "submitted_at is no number"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(text)
    with pytest.raises(InvalidRequestError, match=f"line {line}: ") as refused:
        list(read_trace(path))
    assert refused.value.code == "trace-invalid"
    assert words in (refused.value.cause or "")
    assert refused.value.details["line"] == line


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("submitted_at,workspace,user\n1,w,u\n", 1, "target, planned_s is not among them"),
        ("submitted_at,workspace,user,target,planned_s\n1,w,u,t,2\n1,w,u,t\n", 3, "4 values, and there are 5 columns"),
        ("submitted_at,workspace,user,target,planned_s\n1,w,u,t,x\n", 2, "planned_s is no number: 'x'"),
        ('submitted_at,workspace,user,target,planned_s\n1,"w"x,u,t,1\n', 2, "no CSV"),
        ("", 1, "submitted_at"),
    ],
)
def test_a_table_is_read_as_strictly(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    problems = [each for each in look_through(path) if isinstance(each, Problem)]
    assert [each.line for each in problems] == [line]
    assert words in problems[0].what


def test_times_may_be_written_for_people(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(
        LINE.replace(": 1,", ': "2026-01-31T12:00:00Z",') + "}\n" + LINE.replace(": 1,", ': "2026-01-31",') + "}"
    )
    first, second = read_trace(path)
    assert first.submitted_at - second.submitted_at == 12 * 3_600


def test_all_wrong_lines_are_found(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text("{}\n" + LINE + "}\nno\n")
    assert [each.line for each in look_through(path) if isinstance(each, Problem)] == [1, 3]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("trace.txt", b"", "a trace is called"),
        ("missing.jsonl", None, "No such file"),
        ("trace.jsonl", b"\xff\xfe", "not UTF-8"),
        ("trace.jsonl.gz", b"not gzip", "[Nn]ot a gzipped file"),
        ("trace.csv.gz", gzip.compress(b"a" * 10_000, mtime=0)[:-20], "ended before"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidRequestError) as refused:
        list(read_trace(path))
    assert refused.match(words)


def test_a_trace_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"

    def broken() -> list[TraceJob]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_trace(path, (job for _ in range(3) for job in broken()))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidRequestError, match="No such file"):
        write_trace(tmp_path / "nowhere" / "trace.csv", [])
