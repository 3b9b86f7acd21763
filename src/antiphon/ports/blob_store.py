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

    def get_range(self, digest: str, start: int, stop: int) -> bytes:
        """Bytes from `start` up to `stop` of the blob under `digest`, without reading the rest.

        A part cannot be compared with the hash of the whole, so damage is not seen here.

        Raises:
            StoreError: Nothing is stored under it.
        """
        ...

    def delete(self, digest: str, *, untouched_for: float) -> bool:
        """Delete a blob that was not put for so many seconds; False when it was, or is not there."""
        ...

    def part(self, name: str) -> BlobStore:
        """A store of its own within this one: what is put there is found only there, until `drop_part`.

        Args:
            name: Letters, digits and hyphens.
        """
        ...

    def drop_part(self, name: str) -> None:
        """Delete a part with everything in it; nothing happens when there is none."""
        ...
