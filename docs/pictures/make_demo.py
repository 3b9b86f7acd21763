"""Makes the pictures of the demo for the README from a real run: `python docs/pictures/make_demo.py`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rich.live
from rich.console import Console, RenderableType

from antiphon.cli.demo import demo
from antiphon.cli.demo_run import latest_run
from antiphon.cli.shell import Shell

HERE = Path(__file__).resolve().parent
WIDTH = 108


class LastFrame:
    """In place of `rich.live.Live`: a still picture keeps one frame of the moving one, the last."""

    def __init__(self, first: RenderableType = "", *, console: Console, **_: Any) -> None:
        self._console = console
        self._frame = first

    def update(self, frame: RenderableType) -> None:
        """Keep it."""
        self._frame = frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._console.print(self._frame)


def main() -> None:
    """Run the demo and write demo.svg (its terminal) and demo-convergence.svg (its plot)."""
    rich.live.Live = LastFrame  # type: ignore[assignment,misc]
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.chdir(folder)
        home = Path("lab")
        console = Console(record=True, width=WIDTH, force_terminal=True, file=nowhere, color_system="truecolor")
        shell = Shell(_consoles={False: console, True: console})
        shell.home = home
        console.print("[bold green]$[/] antiphon demo --home lab")
        demo(shell, seed=0, pace=0.0)
        console.save_svg(str(HERE / "demo.svg"), title="antiphon demo")
        run = latest_run(home)
        if run is None or run.result is None:
            raise SystemExit("the demo left no result")
        shutil.copy(run.result["plot_svg"], HERE / "demo-convergence.svg")
        os.chdir(HERE)


if __name__ == "__main__":
    main()
