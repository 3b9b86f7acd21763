from __future__ import annotations

import os
import subprocess

from antiphon.cli.env import ShellKind, exports

AWKWARD = {"A": "plain", "B": "two words; $HOME `id` \"q\" 'q' \\ !", "C": "", "D": "line\nbreak"}


def test_a_posix_shell_gets_the_values_as_they_are() -> None:
    script = f'{exports(ShellKind.BASH, AWKWARD)}for name in A B C D; do printf "%s\\0" "${{!name}}"; done'
    got = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    assert got.stdout.split("\0")[:-1] == list(AWKWARD.values())


def test_quotes_of_the_other_shells() -> None:
    """By the rules of their manuals: fish escapes quote and backslash, PowerShell doubles the quote."""
    assert exports(ShellKind.FISH, {"A": "it's \\ $x"}) == "set -gx A 'it\\'s \\\\ $x'\n"
    assert exports(ShellKind.POWERSHELL, {"A": "it's $x"}) == "$env:A = 'it''s $x'\n"
