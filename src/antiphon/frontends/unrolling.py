"""How long a program may become when its loops are unrolled and its definitions expanded: one limit for every SDK."""

from __future__ import annotations

MAX_OPERATIONS = 1_000_000
"""Operations of one program. Reading so many takes a few seconds; a loop over a thousand million is refused at once."""
