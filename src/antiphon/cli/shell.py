"""What every command writes with: data on stdout, everything else on stderr, for people or for scripts."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.client.remote.address import is_url
from antiphon.errors import AntiphonError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from antiphon.client.workspace import Workspace

NO_WIDTH_LIMIT = 240
"""Columns when the output is not a terminal: a pipe must not cut an id in two."""

PROGRAM = "antiphon"
URL_VARIABLE = "ANTIPHON_URL"
HOME_VARIABLE = "ANTIPHON_HOME"
_A_COMMAND = re.compile(f"`{PROGRAM} ([^`]+)`")
"""Errors of inner layers name commands like this; they cannot know how the program was called."""


def called_as() -> str:
    """What to type for this program where the user stands: its name when that finds it, else the path it was called by.

    After `make demo` the command is `.venv/bin/antiphon`, which is on nobody's PATH.
    """
    called = Path(sys.argv[0])
    if called.stem != PROGRAM or not called.is_file():  # embedded, e.g. in a test or another program
        return PROGRAM
    found = shutil.which(PROGRAM)
    if found is not None and Path(found).samefile(called):
        return PROGRAM
    return shlex.quote(sys.argv[0])


@dataclass(slots=True)
class Shell:
    """The options that every command has, and the two streams.

    Attributes:
        home: The folder to open; None is ANTIPHON_HOME or the user's data folder.
        url: The server to use instead of a folder.
        api_key: The key that opens it; None is ANTIPHON_API_KEY. It is never shown.
        anywhere: Whether the command works on a server as well as on a folder.
        as_json: Print one JSON document on stdout in place of tables.
        quiet: Nothing on stderr but errors.
        color: False switches colours off; so does NO_COLOR.
        debug: Show tracebacks.
    """

    home: Path | None = None
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    anywhere: bool = False
    as_json: bool = False
    quiet: bool = False
    color: bool = True
    debug: bool = False
    _consoles: dict[bool, Console] = field(default_factory=dict)

    def with_options(self, **given: Any) -> Shell:
        """This shell with the options of a command line further to the right; what was set stays set."""
        return replace(
            self,
            home=given["home"] or self.home,
            url=given.get("url") or self.url,
            api_key=given.get("api_key") or self.api_key,
            as_json=given["as_json"] or self.as_json,
            quiet=given["quiet"] or self.quiet,
            color=self.color and not given["no_color"],
            debug=given["debug"] or self.debug,
            _consoles={},
        )

    @property
    def out(self) -> Console:
        """The console of stdout."""
        return self._console(stderr=False)

    @property
    def err(self) -> Console:
        """The console of stderr."""
        return self._console(stderr=True)

    def data(self, value: Any, render: Callable[[], RenderableType | None]) -> None:
        """The command's data: `value` as one JSON document, or what `render` makes of it for people."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
            sys.stdout.flush()
            return
        shown = render()
        if shown is not None:
            self._make_room_for(shown)
            # A key, or a command to type next, is longer than a narrow terminal; cut or in two lines it is of no use.
            self.out.print(shown, crop=False, soft_wrap=isinstance(shown, str))

    def _make_room_for(self, shown: RenderableType) -> None:
        """Print wider than the terminal where a table needs it: rich would leave the column that gives way no room."""
        from rich.measure import Measurement
        from rich.table import Table

        if isinstance(shown, Table):
            wide = self.out.options.update(max_width=10_000)
            if (least := Measurement.get(self.out, wide, shown).minimum) > self.out.width:
                shown.padding = (0, 1, 0, 0)  # a space in place of two between columns, before anything else
                least = Measurement.get(self.out, wide, shown).minimum
            self.out.width = max(self.out.width, least)

    def line(self, value: Any) -> None:
        """One line of a stream of JSON documents, written at once."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Something to know beside the data, on stderr; rich markup."""
        if not self.quiet:
            self.err.print(text, soft_wrap=True)

    def fail(self, error: AntiphonError) -> None:
        """An error on stderr: what happened, why, and what to do; with --json as a JSON object."""
        if self.as_json:
            sys.stderr.write(json.dumps({"error": error.to_dict()}, ensure_ascii=False, default=str) + "\n")
            return
        from rich.text import Text

        self.err.print(Text.assemble(("Error: ", "bold red"), (error.message, "bold")), soft_wrap=True)
        if error.cause:
            self.err.print(Text.assemble(("  cause: ", "dim"), error.cause), soft_wrap=True)
        if error.next_step:
            told = _A_COMMAND.sub(lambda found: f"`{self.command(found[1])}`", error.next_step)
            self.err.print(Text.assemble(("  next step: ", "green"), told), soft_wrap=True)

    @property
    def server(self) -> str | None:
        """The URL of the server to use: --url, or ANTIPHON_URL unless --home was given; None is a folder."""
        if not self.anywhere:
            return None
        return self.url or (os.environ.get(URL_VARIABLE) or None if self.home is None else None)

    def look(self) -> Workspace:
        """The workspace, to look only: nothing runs here and no timer is kept."""
        return self._open(dispatch=False)

    def work(self, workers: int | None = None) -> Workspace:
        """The workspace; of a folder with a running engine, which takes nothing from the queue with `workers=0`."""
        return self._open(workers=workers)

    def command(self, text: str) -> str:
        """A command to type next: the program as it can be called from here, and the folder or URL where needed."""
        where = ""
        if self.home is not None:
            where = f" --home {shlex.quote(str(self.home))}"
        elif self.anywhere and self.url is not None:
            where = f" --url {shlex.quote(self.url)}"
        return f"{called_as()} {text}{where}"

    def _open(self, **settings: Any) -> Workspace:
        from antiphon.client.workspace import Workspace

        server = self.server
        if server is not None:
            return Workspace(server if is_url(server) else f"http://{server}", api_key=self.api_key)
        return Workspace(self.home, **settings)

    def _console(self, *, stderr: bool) -> Console:
        if stderr not in self._consoles:
            from rich.console import Console

            stream = sys.stderr if stderr else sys.stdout
            plain = not self.color or bool(os.environ.get("NO_COLOR"))
            self._consoles[stderr] = Console(
                stderr=stderr,
                no_color=plain or None,
                highlight=False,
                width=None if stream.isatty() or "COLUMNS" in os.environ else NO_WIDTH_LIMIT,
            )
        return self._consoles[stderr]
