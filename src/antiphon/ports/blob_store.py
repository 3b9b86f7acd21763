"""Large immutable values, named by the hash of their content."""

from __future__ import annotations

from typing import Protocol


class BlobStore(Protocol):
    """Keeps bytes under their own digest. Thread-safe; putting the same bytes twice is the same as once."""

    def put(self, data: bytes) -> str:
        """Store `data` durably and return its digest, "sha256:" and 64 hexadecimal digits over the bytes.

        Raises:
            StoreError: The disk is full or not writable; nothing partial is left under the digest.
        """
        ...

    def get(self, digest: str) -> bytes:
        """The bytes under `digest`.

        Raises:
            StoreError: Nothing is stored under it, or what is stored no longer has that hash.
        """
        ...
