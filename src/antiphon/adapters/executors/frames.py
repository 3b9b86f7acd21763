"""Messages between a process and its own workers: eight bytes of length, little-endian, and a pickle that long."""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any

_LENGTH = struct.Struct("<Q")
_ONE_WRITE = 65_536  # the pipe's own buffer on Linux: up to here header and body go in one call


def encode(message: object) -> bytes:
    """The body of a message."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def decode(body: bytes | bytearray) -> Any:
    """The inverse of `encode`, for bodies from the other end of a pipe that this process or its parent opened."""
    return pickle.loads(body)  # noqa: S301 - never from a file, a store or a client


def write_frame(stream: io.RawIOBase, body: bytes) -> None:
    """Write one message; blocks until the other side has taken what the pipe cannot hold.

    Raises:
        OSError: The other side is gone.
    """
    header = _LENGTH.pack(len(body))
    if len(body) <= _ONE_WRITE:
        _write_all(stream, header + body)
    else:
        _write_all(stream, header)
        _write_all(stream, body)


def read_frame(stream: io.RawIOBase) -> bytearray:
    """Read one message.

    Raises:
        EOFError: The other side is gone, before or within the message.
    """
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    return _read_exactly(stream, length)


def _write_all(stream: io.RawIOBase, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) or 0 :]


def _read_exactly(stream: io.RawIOBase, length: int) -> bytearray:
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        count = stream.readinto(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return data
