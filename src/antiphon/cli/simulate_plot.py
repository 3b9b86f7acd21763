"""The picture of a simulation: how many jobs waited longer than what, by class and policy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from antiphon.errors import InvalidRequestError, MissingExtraError

if TYPE_CHECKING:
    from antiphon.simulation.played import Played

# Okabe and Ito's palette, as in `client.plots`.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#7f7f7f")
POINTS = 400
_TICKS = {1.0: "1 s", 60.0: "1 min", 3_600.0: "1 h", 86_400.0: "1 d"}


def check_plot(path: Path) -> None:
    """Find out before the work whether it can be drawn.

    Raises:
        BadParameter: The name says no format.
        MissingExtraError: matplotlib is not installed.
    """
    if path.suffix.lower() not in {".svg", ".png"}:
        raise typer.BadParameter(f"{path.name!r} ends neither with .svg nor with .png.", param_hint="--plot")
    new_figure(1.0, 1.0)


def draw_waits(played: Sequence[Played], path: Path) -> Path:
    """Draw the part of the jobs that waited longer than a time, one panel a class, one line a policy.

    Raises:
        InvalidRequestError: It cannot be written there (code "plot-unwritable").
    """
    import numpy as np

    from antiphon.simulation.measure import CLASSES

    figure = new_figure(9.0, 3.4)
    panels = figure.subplots(1, len(CLASSES), sharey=True)
    for panel, (name, ranks) in zip(panels, CLASSES.items(), strict=True):
        for number, one in enumerate(played):
            waits = one.wait_s[np.isin(one.workload.rank, [int(rank) for rank in ranks])]
            waits = np.sort(np.maximum(waits[~np.isnan(waits)], 0.1))
            if not len(waits):
                continue
            at = np.unique(np.linspace(0, len(waits) - 1, POINTS).astype(int))
            colour = COLOURS[number % len(COLOURS)]
            panel.plot(waits[at], 1.0 - at / len(waits), color=colour, lw=1.6, label=one.name)
        panel.set_xscale("log")
        panel.set_xticks(list(_TICKS), list(_TICKS.values()))
        panel.minorticks_off()
        panel.set_xlabel("wait")
        panel.set_title(
            {"session": "jobs of sessions", "high": "high", "standard": "standard"}[name], loc="left", fontsize=10
        )
        panel.grid(color="#e5e5e5", lw=0.7)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("part that waited longer")
    panels[0].set_ylim(0.0, 1.0)
    panels[-1].legend(frameon=False, fontsize=8)
    return save(figure, path)


def new_figure(width: float, height: float) -> Any:
    """A figure that belongs to nobody else.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError.of("matplotlib", "plots", "Plotting") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, path: Path) -> Path:
    """Write it; the same data give the same file.

    Raises:
        InvalidRequestError: It cannot be written there (code "plot-unwritable").
    """
    import matplotlib as mpl

    metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
    try:
        with mpl.rc_context({"svg.hashsalt": "antiphon"}):
            figure.savefig(path, dpi=150, bbox_inches="tight", facecolor="white", metadata=metadata)
    except OSError as error:
        raise InvalidRequestError(
            f"{path} cannot be written.",
            code="plot-unwritable",
            cause=error.strerror or str(error),
            next_step="Name another file with --plot.",
        ) from None
    return path
