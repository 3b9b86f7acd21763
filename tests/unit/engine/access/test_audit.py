from __future__ import annotations

import pytest

from antiphon.adapters.clocks import ManualClock
from antiphon.engine.access.audit import MOST_LINES, NOBODY, note, note_alone, read_audit
from antiphon.engine.access.principals import local_principal
from antiphon.engine.context import EngineContext
from antiphon.errors import LimitError
from antiphon.ports.access_store import AuditQuery


def refuse(ctx: EngineContext, **changes: str) -> None:
    given = {"workspace": "default", "who": NOBODY, "via": "none", "action": "auth.refused", "subject": "/v1/jobs"}
    note_alone(ctx, **{**given, "where": "192.0.2.1", "outcome": "key-revoked", **changes})  # type: ignore[arg-type]


def test_lines_come_newest_first_and_by_filter(ctx: EngineContext, clock: ManualClock) -> None:
    began = clock.now()
    refuse(ctx)
    clock.advance(10)
    refuse(ctx, who="ada", action="key.create", outcome="ok")
    refuse(ctx, workspace="other")
    lines = read_audit(ctx, AuditQuery("default"))
    assert [(line.who, line.at - began) for line in lines] == [("ada", 10), (NOBODY, 0)]
    assert [line.who for line in read_audit(ctx, AuditQuery("default", action="key."))] == ["ada"]
    assert [line.who for line in read_audit(ctx, AuditQuery("default", before=began + 5))] == [NOBODY]
    assert [line.who for line in read_audit(ctx, AuditQuery("default", before_seq=lines[0].seq))] == [NOBODY]


def test_a_line_is_stored_with_its_change_or_not_at_all(ctx: EngineContext) -> None:
    with pytest.raises(RuntimeError), ctx.store.write() as tx:
        note(ctx, tx, local_principal("default", "root"), "key.create", "key_1")
        raise RuntimeError("the change failed")
    assert read_audit(ctx, AuditQuery("default")) == []


def test_what_a_stranger_sends_cannot_break_the_log(ctx: EngineContext) -> None:
    refuse(ctx, subject="\0\ud800" + "x" * 5_000)
    [line] = read_audit(ctx, AuditQuery("default"))
    assert line.subject.startswith("?x")
    assert len(line.subject) < 1_001


@pytest.mark.parametrize("limit", [0, -1, MOST_LINES + 1])
def test_as_many_lines_are_refused(ctx: EngineContext, limit: int) -> None:
    with pytest.raises(LimitError):
        read_audit(ctx, AuditQuery("default", limit=limit))
