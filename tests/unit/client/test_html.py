from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from antiphon import Workspace
from antiphon.client.html_parts import bars, facts, stage_bar, table, text
from antiphon.errors import SessionEndedError
from programs import BELL

EVIL = '<script>alert("x")</script>&'


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(html: str) -> Page:
    page = Page(html)
    assert page.open == []
    assert not {"script", "style", "iframe", "link", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"href", "src"}]
    return page


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path, workers=1) as workspace:
        yield workspace


def test_a_job_of_an_evil_name_is_shown_not_run(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    job = target.submit(BELL, 100, name=EVIL, seed=1)
    for shown in (job, job.result()):
        page = harmless(shown._repr_html_())
        assert EVIL in page.text
    assert job.id in harmless(job._repr_html_()).text


def test_a_result_shows_its_counts(ws: Workspace) -> None:
    job = ws.target("sim.auto").submit(BELL, 1000, seed=1)
    page = harmless(job.result()._repr_html_())
    counts = job.result().counts
    assert "svg" in page.tags
    assert page.tags.count("rect") == 2
    assert all(f"{counts[key]:,} · " in page.text for key in counts)
    assert "1,000 shots" in page.text


def test_results_of_batches_sweeps_and_estimates(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    ry = 'OPENQASM 3.0; include "stdgates.inc"; input float t; qubit[1] q; bit[1] c; ry(t) q[0]; c = measure q;'
    batch = target.submit_batch([BELL] * 3, shots=10, name=EVIL)
    assert "[2]" in harmless(batch.result(60)._repr_html_()).text
    sweep = target.sweep(ry, {"t": [0.01 * step for step in range(30)]}, shots=10)
    assert "and 10 more" in harmless(sweep.result(60)._repr_html_()).text
    one = target.estimate(ry, {"Z": 1.0}, {"t": 0.0})
    assert "1" in harmless(one.result(60)._repr_html_()).text
    many = target.estimate(ry, [{"Z": 1.0}, {"X": 1.0}], {"t": 0.0})
    assert "[1]" in harmless(many.result(60)._repr_html_()).text


def test_a_session_and_a_target(ws: Workspace) -> None:
    target = ws.target("sim.auto")
    assert "Target sim.auto" in harmless(target._repr_html_()).text
    with target.open_session(name=EVIL) as session:
        first = target.submit(BELL, 10)
        page = harmless(session._repr_html_())
        assert EVIL in page.text
        assert first.id in page.text
    with pytest.raises(SessionEndedError):
        target.enter_session(session)
        target.submit(BELL, 10)
    assert "no: " in harmless(session._repr_html_()).text


def test_a_job_that_waits_has_no_bar_of_stages() -> None:
    assert stage_bar({"compile": None, "queue": None}) == ""
    assert "■" in stage_bar({"compile": 0.001, "queue": None, "execute": 0.1, "reconcile": 0.0})


@pytest.mark.parametrize("piece", [text(EVIL), facts({EVIL: EVIL}), table([EVIL], [[EVIL]]), bars({EVIL: 1})])
def test_every_piece_escapes_what_it_is_given(piece: Any) -> None:
    assert EVIL in harmless(piece).text
