"""Which names can be stored and shown: of workspaces, of keys, and of members."""

from __future__ import annotations

import re

from antiphon.errors import LimitError

LONGEST_NAME = 250
"""Names of subjects are in an index of PostgreSQL, whose entries have a limit; this is far below it."""
_WORKSPACE = re.compile(r"[a-z0-9-]{1,63}")


def check_workspace_name(name: str) -> str:
    """The name, if a workspace can be called so.

    Raises:
        LimitError: Not 1 to 63 of a-z, 0-9 and the hyphen (code "name-invalid").
    """
    if not _WORKSPACE.fullmatch(name):
        raise LimitError(
            f"{name[:80]!r} cannot be the name of a workspace.",
            code="name-invalid",
            cause="a name has 1 to 63 characters of a-z, 0-9 and the hyphen",
            next_step="Choose a name such as 'chemistry' or 'team-2'.",
        )
    return name


def check_name(name: str, what: str) -> str:
    """The name, if it can be stored in every database and shown on one line.

    Raises:
        LimitError: Empty, longer than 250 characters, or with characters that cannot be shown (code "name-invalid").
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise LimitError(
            f"{name[:80]!r} cannot be {what}.",
            code="name-invalid",
            cause=f"it needs 1 to {LONGEST_NAME} printable characters, not only blanks",
            next_step="Choose a shorter name without line breaks and control characters.",
        )
    return name
