"""Makes the picture of a server for the README from a real one: `python docs/pictures/make_server.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
WIDTH = 108
ANTIPHON = [sys.executable, "-c", "from antiphon.cli.main import main; main()"]
BELL = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1]; bit[2] c = measure q;'
COMMANDS = (
    "export ANTIPHON_URL=http://127.0.0.1:8000",
    "export ANTIPHON_API_KEY=$(antiphon keys create ada --role submitter --home lab --quiet)",
    """curl -s $ANTIPHON_URL/v1/jobs -H "Authorization: Bearer $ANTIPHON_API_KEY" \\
    -H "Content-Type: application/json" -d @bell.json | jq -c .result.outcomes""",
    "antiphon jobs list",
)
"""What the picture shows. Only the address is another one in the run: that of a free port."""


def main() -> None:
    """Start a server, submit to it, and write server.svg: what the terminal shows."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        place = Path(folder)
        body = {"target": "sim.auto", "program": BELL, "name": "bell", "shots": 1000, "seed": 7}
        (place / "bell.json").write_text(json.dumps(body))
        console = Console(record=True, width=WIDTH, force_terminal=True, file=nowhere, color_system="truecolor")
        server = subprocess.Popen(  # noqa: S603 - our own program
            [*ANTIPHON, "serve", "--home", "lab", "--port", "0", "--json"], cwd=place, stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            for command, printed in zip(COMMANDS, _printed(place, url), strict=True):
                console.print(Text("$ ", "bold green").append(command, "default"))
                if printed:
                    console.print(Text(printed))
        finally:
            server.terminate()
            server.wait()
        console.save_svg(str(HERE / "server.svg"), title="a job by curl")


def _printed(place: Path, url: str) -> list[str]:
    """What each command printed, all in one shell."""
    mark = "--- end of a command ---"
    python = "import json, sys; print(json.dumps(json.load(sys.stdin)['result']['outcomes'], separators=(',', ':')))"
    lines = [
        f'antiphon() {{ "{ANTIPHON[0]}" -c "{ANTIPHON[2]}" "$@"; }}',
        f'jq() {{ "{ANTIPHON[0]}" -c "{python}"; }}',  # this machine need not have it
        *(f"{command.replace(COMMANDS[0].partition('=')[2], url)}; echo '{mark}'" for command in COMMANDS),
    ]
    done = subprocess.run(  # noqa: S603 - the commands above
        ["/bin/bash", "-euc", "\n".join(lines)],
        cwd=place,
        env={**os.environ, "COLUMNS": str(WIDTH), "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [part.strip("\n") for part in done.stdout.split(mark)[:-1]]


if __name__ == "__main__":
    main()
