"""Seeds: every pub gets its own by hashing, never by counting up.

Several simulators shift by one shot from seed to seed, so that neighbouring seeds give nearly the same sample. A hash
makes neighbours unrelated.
"""

from __future__ import annotations

import hashlib
import secrets

MAX_SEED = 2**63 - 1


def draw_seed() -> int:
    """A seed for a job whose user gave none; it is recorded, so the job can still be replayed."""
    return secrets.randbits(62)


def pub_seed(seed: int, index: int) -> int:
    """The 63-bit seed of pub `index`: SHA-256 of "antiphon:<seed>:<index>"."""
    digest = hashlib.sha256(f"antiphon:{seed}:{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
