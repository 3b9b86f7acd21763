"""Runs a page of the docs as its reader would: its commands in one shell, its Python where it stands, on a real server.

A line that begins with `$ ` is a command and `> ` goes on with it; what else stands in a console block is what it
prints. `antiphon serve` runs beside the rest, on a free port. A comment `# 403` or `# exit 6` at the end of a command
says that it is refused so; every other command must succeed.
"""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from real_server import command_line, environment

BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
REFUSED = re.compile(r"  # (?:exit (\d+)|(4\d\d))$")
SECONDS = 280
"""A page starts the program a dozen times, which takes seconds each on a machine that is busy."""
ADDRESS, RECEIVER = "127.0.0.1:8000", "9000"
"""What pages call the server's address and a receiver's port; every run takes free ones."""


def run_page(text: str, folder: Path, *, python: str = sys.executable, **variables: str) -> str:
    """Run a page in a folder; what its commands printed. The servers it started have ended.

    Raises:
        AssertionError: A command failed, or was not refused as the page says.
    """
    script = folder / "page.sh"
    script.write_text(_script(text, folder, python))
    (folder / ".curlrc").write_text("fail-with-body\nsilent\nshow-error\nnoproxy = *\n")
    done = subprocess.run(
        ["bash", str(script)],
        cwd=folder,
        env={**environment(variables), "HOME": str(folder), "NO_PROXY": "127.0.0.1", "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def commands(block: str) -> Iterator[str]:
    """The commands of a console block, each with its further lines."""
    command: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield "\n".join(command)
            command = [line[2:]]
        elif line.startswith(">") and command:
            command.append(line[2:])
    if command:
        yield "\n".join(command)


def _script(text: str, folder: Path, python: str) -> str:
    port, receiver = _free_port(), _free_port()
    antiphon = shlex.join(command_line())
    lines = [
        "set -u",
        f'antiphon() {{ {antiphon} "$@"; }}',
        f'python() {{ {shlex.quote(python)} "$@"; }}',
        "servers=",
        "trap 'for each in $servers; do kill $each 2>/dev/null; wait $each; done' EXIT",
        'failed() { echo "this failed with $1: $2" >&2; exit 1; }',
    ]
    named = re.findall(r"python (\w+\.py)", text)
    for number, (kind, block) in enumerate(BLOCK.findall(text)):
        own = block.replace(ADDRESS, f"127.0.0.1:{port}").replace(RECEIVER, str(receiver))
        if kind == "console":
            for command in commands(own):
                lines += _command(command, port, folder)
            continue
        comment = re.match(r"# (\w+\.py)\n", block)
        path = folder / (comment[1] if comment else f"block{number}.py")
        path.write_text(own)
        if not comment:
            # A page that says `python scan.py` means the block before it.
            run_later = [name for name in named if not (folder / name).exists()]
            if run_later:
                path.rename(folder / run_later[0])
            else:
                lines += _command(f"python {path.name}", port, folder)
    return "\n".join(lines) + "\n"


def _command(command: str, port: int, folder: Path) -> list[str]:
    refused = REFUSED.search(command)
    if refused:
        command = command[: refused.start()]
    if command.startswith("antiphon serve") and not refused:
        ready = folder / "ready.json"
        words = f"{command.removeprefix('antiphon ')} --port {port} --workers 1 --ready-file {shlex.quote(str(ready))}"
        return [
            f"rm -f {ready}",
            f"{shlex.join(command_line())} {words} > server.log 2>&1 &",
            'servers="$servers $!"',
            f"for _ in $(seq 600); do [ -e {ready} ] && break; sleep 0.1; done",
            f"[ -e {ready} ] || {{ cat server.log >&2; failed 1 {shlex.quote(command)}; }}",
        ]
    if command == "wait":
        return ["wait $receiver"]
    if command.endswith(" &"):
        # Not ready when its first delivery comes, it would get the second try five seconds later.
        return [command, "receiver=$!", "sleep 1"]
    told = shlex.quote(command)
    if refused is None:
        return [command, f"status=$?; [ $status = 0 ] || failed $status {told}"]
    expected = refused[1] or "22"
    lines = [f"answer=$({command}\n)", f"status=$?; [ $status = {expected} ] || failed $status {told}"]
    if refused[2]:
        lines.append(f'case $answer in *\'"status":{refused[2]}\'*) ;; *) failed "$answer" {told} ;; esac')
    return lines


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
