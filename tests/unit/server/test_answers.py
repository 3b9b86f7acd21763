from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from antiphon.server.answers import JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class _Line:
    """What goes out, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def _on_a_line(act: Callable[[JoinedWrites, _Line], Any]) -> _Line:
    line = _Line()

    async def run() -> None:
        act(JoinedWrites(cast("asyncio.Transport", line), asyncio.get_running_loop()), line)
        await asyncio.sleep(0)

    asyncio.run(run())
    return line


def _write(*parts: bytes) -> Callable[[JoinedWrites, _Line], None]:
    def act(joined: JoinedWrites, _: _Line) -> None:
        for part in parts:
            joined.write(part)

    return act


def test_a_head_goes_out_with_its_body() -> None:
    assert _on_a_line(_write(HEAD, b"body", HEAD, b"next")).writes == [HEAD + b"body", HEAD + b"next"]


def test_a_head_without_a_body_goes_out_alone() -> None:
    assert _on_a_line(_write(HEAD)).writes == [HEAD]
    assert _on_a_line(_write(HEAD, b"")).writes == [HEAD]


def test_a_stream_goes_out_as_it_comes() -> None:
    line = _on_a_line(_write(HEAD, b"4\r\ndata\r\n", b"4\r\nmore\r\n"))
    assert line.writes == [HEAD + b"4\r\ndata\r\n", b"4\r\nmore\r\n"]


def test_a_large_body_is_not_copied() -> None:
    body = bytes(1_000_000)
    assert _on_a_line(_write(HEAD, body)).writes == [HEAD, body]


def test_nothing_is_kept_when_the_connection_is_closed() -> None:
    def act(joined: JoinedWrites, _: _Line) -> None:
        joined.write(HEAD)
        joined.close()

    line = _on_a_line(act)
    assert line.writes == [HEAD]
    assert line.closed


@pytest.mark.parametrize("closed", [True, False])
def test_it_says_whether_the_connection_closes(*, closed: bool) -> None:
    def act(joined: JoinedWrites, line: _Line) -> None:
        line.closed = closed
        assert joined.is_closing() is closed

    _on_a_line(act)
