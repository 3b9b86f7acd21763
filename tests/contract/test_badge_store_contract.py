from __future__ import annotations

from dataclasses import replace

from antiphon.domain.badges import Badge
from antiphon.ports.job_store import JobStore


def test_a_target_has_the_badge_it_was_given_last(store: JobStore) -> None:
    badge = Badge(
        target="sim.auto", version="sim-1", antiphon="1.0", at=1.5, by="ada", passed=3, not_applicable=1,
        failed=("bit-order", "clock"),
    )  # fmt: skip
    with store.read() as tx:
        assert tx.badges() == {}
    with store.write() as tx:
        tx.save_badge(badge)
        tx.save_badge(replace(badge, target="sim.mps"))
        assert tx.badges()["sim.auto"] == badge
    later = replace(badge, version="sim-2", passed=5, failed=())
    with store.write() as tx:
        tx.save_badge(later)
    with store.read() as tx:
        assert tx.badges() == {"sim.auto": later, "sim.mps": replace(badge, target="sim.mps")}
