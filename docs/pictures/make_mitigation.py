"""Draws the mitigation table: `python docs/pictures/make_mitigation.py`, from what `bench.mitigation --json` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.cli.simulate_plot import COLOURS, new_figure, save

HERE = Path(__file__).resolve().parent
ROWS = HERE.parents[1] / "bench" / "data" / "mitigation.json"
NOTHING = "#999999"


def main() -> None:
    """One panel for each device: the error of each method, with what the runs scatter."""
    rows: list[dict[str, Any]] = json.loads(ROWS.read_text())["rows"]
    devices = list(dict.fromkeys(row["device"] for row in rows))
    figure = new_figure(9.0, 3.6)
    panels = figure.subplots(1, len(devices), sharey=True)
    for panel, device in zip(panels, devices, strict=True):
        own = [row for row in rows if row["device"] == device]
        places = np.arange(len(own))
        panel.axvline(0.0, color="black", linewidth=0.8)
        for place, row in zip(places, own, strict=True):
            colour = NOTHING if row["method"] == "raw" else COLOURS[0]
            panel.errorbar(row["bias"], place, xerr=2 * row["scatter"], fmt="o", color=colour, capsize=3, markersize=5)
        panel.set_yticks(places, [row["method"] for row in own])
        panel.set_title(device, fontsize=10)
        panel.set_xlabel("error of the energy, millihartree")
        panel.grid(axis="x", alpha=0.25)
    panels[0].invert_yaxis()
    save(figure, HERE / "mitigation.svg")


if __name__ == "__main__":
    main()
