from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from antiphon import Workspace
from antiphon.client.progress import stage_of, watching
from antiphon.domain.jobs import Job as JobFacts
from programs import BELL


def test_nothing_is_shown_without_a_terminal_and_the_watcher_is_still_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[JobFacts] = []
    with Workspace(tmp_path, workers=1) as workspace:
        job = workspace.target("sim.auto").submit(BELL, 10, execution="process")
        job.wait(60, progress=True, watch=seen.append)
    assert seen[-1].status.is_final
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_stage_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with Workspace(tmp_path, workers=1) as workspace:
        job = workspace.target("sim.auto").submit(BELL, 10, execution="process", name="[bold]bell")
        job.wait(60, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "[bold]bell" in err


def test_a_notebook_has_one_line_that_is_updated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Any] = []

    class Handle:
        def update(self, line: Any) -> None:
            lines.append(line)

    def display(line: Any, *, display_id: bool) -> Handle:
        assert display_id
        lines.append(line)
        return Handle()

    # IPython is no dependency; what counts is how its two functions are called.
    kernel = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: kernel))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    with Workspace(tmp_path, workers=1) as workspace:
        job = workspace.target("sim.auto").submit(BELL, 10, name="<b>")
        with watching(job.name) as watch:
            watch(job.facts)
    assert "Succeeded" in repr(lines[-1])
    assert "&lt;b&gt;" in lines[-1]._repr_html_()


def test_a_stage_says_what_it_waits_for(tmp_path: Path) -> None:
    with Workspace(tmp_path, workers=0) as workspace:
        job = workspace.target("sim.auto").submit(BELL, 10, name="bell", execution="process")
        assert stage_of(job.facts, 3.2) == "bell: waiting for its turn on sim.auto · 3 s"
        job.cancel()
        assert stage_of(job.facts, 4) == "bell: Cancelled · 4 s"
