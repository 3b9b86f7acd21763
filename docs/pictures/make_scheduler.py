"""Draws the pictures of the operator's guide from simulations: `python docs/pictures/make_scheduler.py`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.cli.simulate_plot import COLOURS, draw_waits, new_figure, save
from antiphon.domain.queues import Access, Priority, QueuePolicy
from antiphon.domain.traces import TraceJob
from antiphon.simulation.arrivals import Mixture, synthesise
from antiphon.simulation.contenders import CONTENDERS
from antiphon.simulation.played import Played
from antiphon.simulation.run import play
from antiphon.simulation.targets import SimTarget
from antiphon.simulation.workload import workload_of

HERE = Path(__file__).resolve().parent
BLUE, RED, _, AMBER = COLOURS[:4]
GREY = "#bbbbbb"


def job(submitted_at: float, run_s: float, workspace: str, **more: Any) -> TraceJob:
    """A job that takes as long as it was planned."""
    user = more.pop("user", workspace)
    return TraceJob(
        submitted_at=submitted_at,
        workspace=workspace,
        user=user,
        target="qpu",
        planned_s=run_s,
        run_s=run_s,
        wait_s=0.0,
        **more,
    )


def run(jobs: Iterable[TraceJob], name: str = "antiphon", **parameters: Any) -> Played:
    """One target with one slot."""
    policy = QueuePolicy(target="", slots=1, **parameters)
    return play(workload_of(jobs), [SimTarget()], CONTENDERS[name], policy)


def draw_sessions() -> None:
    """What a session gets of its target: who runs when, and when it is held."""
    thinks = (3.0, 3.0, 25.0, 3.0)
    session, at = [], 0.0
    for number in range(5):
        session.append(job(at, 4.0, "loop", session="s"))
        at += 4.0 + (thinks[number] if number < len(thinks) else 0.0)
    others = [job(1.0 + 2.0 * number, 6.0, "others", user=f"u{number}") for number in range(9)]
    figure = new_figure(9.0, 3.2)
    panel = figure.subplots()
    for row, access in enumerate(Access):
        played = run([*session, *others], access=access, gap_s=10.0)
        load = played.workload
        for which, since, until in zip(*(each.tolist() for each in played.runs()), strict=True):
            own = load.workspaces[load.user_workspace[load.user[which]]] == "loop"
            panel.barh(
                row, until - since, left=since, height=0.5, color=BLUE if own else GREY, edgecolor="white", lw=0.8
            )
        for _, since, until, lost in played.queues[0].holds:
            panel.plot([since, until], [row + 0.36] * 2, color=RED, lw=2.5, solid_capstyle="butt")
            if lost:
                panel.annotate(
                    "lost", (until, row + 0.36), xytext=(3, -3), textcoords="offset points", fontsize=8, color=RED
                )
    panel.set_yticks(range(len(Access)), [access.value for access in Access])
    panel.invert_yaxis()
    panel.barh(0, 0, color=BLUE, label="jobs of the session")
    panel.barh(0, 0, color=GREY, label="jobs of others")
    panel.plot([], [], color=RED, lw=2.5, label="the target is held")
    panel.set_xlabel("seconds")
    panel.legend(frameon=False, fontsize=9, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    _plain(panel)
    save(figure, HERE / "scheduler-sessions.svg")


def draw_shares() -> None:
    """Seconds of the target that three workspaces have had, one of which floods it; beside first come, first served."""
    flood = [job(0.0 + number * 0.01, 10.0, "floods") for number in range(300)]
    steady = [job(60.0 + 25.0 * number, 10.0, "steady") for number in range(60)]
    late = [job(900.0 + 0.01 * number, 10.0, "comes late") for number in range(40)]
    figure = new_figure(9.0, 3.2)
    panels = figure.subplots(1, 2, sharey=True)
    grid = np.linspace(0.0, 1_800.0, 361)
    for panel, (name, title) in zip(
        panels, (("fifo", "first come, first served"), ("antiphon", "fair shares")), strict=True
    ):
        played = run([*flood, *steady, *late], name)
        load = played.workload
        which, since, until = played.runs()
        of = load.user_workspace[load.user[which]]
        for workspace, colour in (("floods", GREY), ("steady", BLUE), ("comes late", AMBER)):
            rows = of == load.workspaces.index(workspace)
            had = [float(np.clip(at - since[rows], 0.0, until[rows] - since[rows]).sum()) for at in grid]
            panel.plot(grid / 60, np.array(had) / 60, color=colour, lw=2, label=workspace)
        panel.set_title(title, loc="left", fontsize=10)
        panel.set_xlabel("minutes")
        _plain(panel)
    panels[0].set_ylabel("minutes of the target it has had")
    panels[0].annotate("steady, comes late", (20.0, 0.0), xytext=(0, 5), textcoords="offset points", fontsize=9)
    panels[0].legend(frameon=False, fontsize=9)
    save(figure, HERE / "scheduler-shares.svg")


def draw_bound() -> None:
    """How long one ordinary job waits while others with high priority keep the target full."""
    figure = new_figure(9.0, 2.8)
    panel = figure.subplots()
    flood = [job(5.0 + 9.0 * number, 10.0, "high", priority=Priority.HIGH) for number in range(80)]
    lone = [job(0.0, 10.0, "high"), *(job(1.0 + number, 10.0, "ordinary") for number in range(5))]
    for row, aged_every in enumerate((10**6, 4, 2)):
        played = run([*lone, *flood], patience_s=120.0, aged_every=aged_every)
        load = played.workload
        for which, since, until in zip(*(each.tolist() for each in played.runs()), strict=True):
            own = load.workspaces[load.user_workspace[load.user[which]]] == "ordinary"
            panel.barh(
                row, until - since, left=since, height=0.6, color=RED if own else "#e8e8e8", edgecolor="white", lw=0.4
            )
    panel.axvline(120.0, color="#333333", lw=1, ls="--")
    panel.annotate("patience", (120.0, -0.55), xytext=(4, 0), textcoords="offset points", fontsize=8, va="center")
    panel.set_yticks(range(3), ["no bound", "every 4th start", "every 2nd start"])
    panel.set_ylim(2.5, -0.8)
    panel.set_xlabel("seconds")
    _plain(panel)
    save(figure, HERE / "scheduler-bound.svg")


def draw_quantum() -> None:
    """A long batch and short jobs of others: without and with a quantum."""
    batch = [job(0.0, 120.0, "batch", kind="batch")]
    short = [job(at, 4.0, "others", user=f"u{number}") for number, at in enumerate((8.0, 40.0, 41.0, 85.0))]
    figure = new_figure(9.0, 2.2)
    panel = figure.subplots()
    for row, quantum_s in enumerate((1e6, 30.0)):
        played = run([*batch, *short], quantum_s=quantum_s)
        load = played.workload
        for which, since, until in zip(*(each.tolist() for each in played.runs()), strict=True):
            own = bool(load.batch[which])
            panel.barh(
                row, until - since, left=since, height=0.55, color=BLUE if own else AMBER, edgecolor="white", lw=0.8
            )
    for each in short:
        panel.annotate("▼", (each.submitted_at, -0.42), ha="center", fontsize=7, color=AMBER)
    panel.set_yticks([0, 1], ["no quantum", "quantum 30 s"])
    panel.set_ylim(1.4, -0.6)
    panel.set_xlabel("seconds (▼: a job of somebody else is submitted)")
    _plain(panel)
    save(figure, HERE / "scheduler-quantum.svg")


def draw_policies() -> None:
    """The waits under three policies: what `antiphon simulate --plot` draws without further options."""
    workload, targets = synthesise(Mixture(), seed=0)
    policy = QueuePolicy(target="")
    played = [play(workload, targets, CONTENDERS[name], policy) for name in ("antiphon", "fifo", "priority")]
    draw_waits(played, HERE / "scheduler-waits.svg")


def _plain(panel: Any) -> None:
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=9)


def main() -> None:
    """Write docs/pictures/scheduler-*.svg."""
    draw_sessions()
    draw_shares()
    draw_bound()
    draw_quantum()
    draw_policies()


if __name__ == "__main__":
    main()
