"""Pictures of results, sessions and jobs with matplotlib (extra `plots`); no window is ever opened.

Every function draws on the axes it is given, or on a new figure that belongs to nobody else, and returns the axes.
Figures are made without pyplot, so there is no global state, and a loop that plots a thousand times leaks nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from antiphon.domain.jobs import Job, JobStatus
from antiphon.errors import AntiphonError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7f7f7f"
STAGE_COLOURS = {"compile": ORANGE, "queue": "#cccccc", "execute": BLUE, "reconcile": GREEN}
LONG_LABEL = 6
"""Characters from which the outcomes below the bars are turned upright."""


def histogram(counts: Mapping[str, int], title: str = "", ax: Axes | None = None, top: int = 32) -> Axes:
    """Counts as bars with √N error bars.

    Args:
        counts: Outcome to count.
        ax: Where to draw; None makes a figure.
        top: At most so many outcomes, the most frequent ones; the label of the axis says how many there are.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    kept = sorted(sorted(counts, key=lambda key: -counts[key])[: max(1, top)])
    total = sum(counts.values())
    ax = ax if ax is not None else _axes(width=max(4.0, min(14.0, 1.5 + 0.42 * len(kept))))
    heights = [counts[key] for key in kept]
    positions = range(len(kept))
    ax.bar(positions, heights, color=BLUE, width=0.75)
    ax.errorbar(positions, heights, yerr=np.sqrt(heights), fmt="none", ecolor="#333333", elinewidth=1, capsize=2.5)
    upright = max((len(key) for key in kept), default=0) >= LONG_LABEL
    ax.set_xticks(list(positions), kept, rotation=90 if upright else 0, family="monospace")
    ax.set_xlim(-0.6, len(kept) - 0.4)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("counts")
    left = len(counts) - len(kept)
    rest = total - sum(heights)
    ax.set_xlabel(f"top {len(kept)} of {len(counts):,} outcomes, {1 - rest / total:.0%} of all" if left else "outcome")
    _finish(ax, title or f"{total:,} shots")
    return ax


def convergence(
    values: Sequence[float],
    errors: Sequence[float] | None = None,
    *,
    reference: float | None = None,
    tolerance: float | None = None,
    label: str = "expectation value",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Each value in the order of the evaluations, and the lowest so far as a line.

    With a reference, and without `ax`, a second panel below shows on a logarithmic scale how far the lowest is from it.

    Args:
        errors: Standard errors, drawn as bars where they are not 0.
        reference: The exact value, drawn as a dashed line.
        tolerance: How close to the reference is close enough, drawn as a dotted line in the panel below.
        ax: Where to draw; None makes a figure.

    Returns:
        The axes of the values.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    numbers = np.arange(1, len(values) + 1)
    data = np.asarray(values, dtype=np.float64)
    best = np.minimum.accumulate(data) if len(data) else data
    below: Axes | None = None
    if ax is None and reference is not None and len(data):
        ax, below = _two_panels()
    elif ax is None:
        ax = _axes()
    spread = np.asarray(errors, dtype=np.float64) if errors is not None else np.zeros_like(data)
    if spread.any():
        ax.errorbar(numbers, data, yerr=spread, fmt="none", ecolor=GREY, elinewidth=0.8, zorder=1)
    ax.plot(numbers, data, "o", ms=3.5, color=BLUE, alpha=0.55, mew=0, label="each evaluation")
    ax.step(numbers, best, where="post", color=BLUE, lw=1.6, label="lowest so far")
    if reference is not None:
        ax.axhline(reference, color=RED, lw=1.2, ls="--", label=f"exact: {reference:.6g}", zorder=0)
    ax.set_ylabel(label)
    ax.legend(frameon=False, fontsize=9)
    _finish(ax, title)
    if below is None:
        ax.set_xlabel("evaluation")
        return ax
    distance = np.maximum(np.abs(best - (reference or 0.0)), 1e-12)
    below.semilogy(numbers, distance, color=BLUE, lw=1.6, drawstyle="steps-post")
    if tolerance is not None:
        below.axhline(tolerance, color=GREEN, lw=1.2, ls=":", label=f"close enough: {tolerance:g}")
        below.legend(frameon=False, fontsize=9)
    below.set_ylabel("distance\nfrom exact")
    below.set_xlabel("evaluation")
    _finish(below, "")
    return ax


def timeline(jobs: Sequence[Job], title: str = "", ax: Axes | None = None) -> Axes:
    """When each job was compiled, waited, executed and was reconciled: one line a job, the oldest on top.

    Seconds count from the moment the first of the jobs began to be compiled.

    Raises:
        MissingExtraError: matplotlib is not installed.
        AntiphonError: There are no jobs.
    """
    if not jobs:
        raise AntiphonError(
            "There are no jobs to plot.", code="nothing-to-plot", next_step="Submit a job in the session first."
        )
    ax = ax if ax is not None else _axes(height=max(2.2, min(7.0, 1.4 + 0.16 * len(jobs))))
    # A job is stored once it is compiled.
    first = min(each.created_at - (each.stages.compile or 0.0) for each in jobs)
    scale, unit = _time_unit(max(each.ended_at or each.created_at for each in jobs) - first)
    for row, each in enumerate(jobs):
        at = each.created_at - (each.stages.compile or 0.0) - first
        for stage, seconds in each.stages.to_json().items():
            # The edge keeps a job visible that is shorter than a pixel.
            colour = STAGE_COLOURS[stage]
            if seconds:
                ax.barh(row, seconds * scale, left=at * scale, height=0.8, color=colour, edgecolor=colour, lw=0.7)
            at += seconds or 0.0
        if each.status is not JobStatus.SUCCEEDED:
            ax.text(at * scale, row, f" {each.status.value}", va="center", fontsize=8, color=RED)
    for stage, colour in STAGE_COLOURS.items():
        ax.barh(0, 0, color=colour, label=stage)
    names = [each.name for each in jobs]
    if len(set(names)) == 1:
        ax.set_ylabel(f"jobs {names[0]}")
        ax.set_yticks([0, len(jobs) - 1], ["1", str(len(jobs))]) if len(jobs) > 1 else ax.set_yticks([0], ["1"])
    else:
        ax.set_yticks(range(len(jobs)), [name if len(name) <= 24 else name[:23] + "…" for name in names], fontsize=8)
    ax.set_ylim(len(jobs) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"{unit} since the first submit")
    ax.legend(frameon=False, fontsize=9, ncols=4, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1)
    _finish(ax, title)
    return ax


def save(drawn: Axes | Figure, path: str | Path) -> tuple[Path, Path]:
    """Write a picture as PNG and as SVG under one name; missing folders are made.

    Args:
        path: With or without a suffix, which is replaced.

    Returns:
        The PNG and the SVG file.
    """
    figure: Any = drawn if hasattr(drawn, "savefig") else drawn.figure
    base = Path(path)
    base = base.with_suffix("") if base.suffix.lower() in {".png", ".svg"} else base
    base.parent.mkdir(parents=True, exist_ok=True)
    png, svg = base.with_name(base.name + ".png"), base.with_name(base.name + ".svg")
    figure.savefig(png, dpi=150, bbox_inches="tight", facecolor="white")
    # Without the date, the same data give the same file.
    figure.savefig(svg, bbox_inches="tight", facecolor="white", metadata={"Date": None})
    return png, svg


def _axes(width: float = 7.0, height: float = 4.0) -> Axes:
    ax: Axes = _figure(width, height).subplots()
    return ax


def _two_panels() -> tuple[Axes, Axes]:
    upper, lower = _figure(7.0, 5.2).subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2.2, 1]})
    return upper, lower


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError.of("matplotlib", "plots", "Plotting") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _finish(ax: Axes, title: str) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="#e5e5e5", lw=0.7)
    ax.set_axisbelow(True)
    if title:
        ax.set_title(_plain(title), loc="left", fontsize=11)


def _plain(text: str) -> str:
    # A dollar sign would switch matplotlib to its mathematics, and a job may have any name.
    return text.replace("$", r"\$")


def _time_unit(seconds: float) -> tuple[float, str]:
    if not math.isfinite(seconds) or seconds >= 1.0:
        return 1.0, "seconds"
    return 1e3, "milliseconds"
