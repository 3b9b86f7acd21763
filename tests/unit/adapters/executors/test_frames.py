import io
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.adapters.executors.frames import decode, encode, read_frame, write_frame


@given(bodies=st.lists(st.binary(max_size=200)))
def test_messages_keep_their_bounds(bodies: list[bytes]) -> None:
    pipe = io.BytesIO()
    for body in bodies:
        write_frame(pipe, body)  # type: ignore[arg-type]
    pipe.seek(0)
    assert [bytes(read_frame(pipe)) for _ in bodies] == bodies  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 65_536, 65_537, 3_000_000])
def test_a_message_longer_than_the_pipe_holds_arrives_whole(size: int) -> None:
    source, sink = os.pipe()
    body = os.urandom(size)
    with os.fdopen(source, "rb", buffering=0) as reader, os.fdopen(sink, "wb", buffering=0) as writer:
        thread = threading.Thread(target=write_frame, args=(writer, body))
        thread.start()
        assert read_frame(reader) == body
        thread.join()


@pytest.mark.parametrize("kept", [0, 3, 8, 11])
def test_an_end_before_or_within_a_message_is_an_end(kept: int) -> None:
    pipe = io.BytesIO()
    write_frame(pipe, b"hello")  # type: ignore[arg-type]
    with pytest.raises(EOFError):
        read_frame(io.BytesIO(pipe.getvalue()[:kept]))  # type: ignore[arg-type]


def test_a_reader_that_is_gone_is_an_error() -> None:
    source, sink = os.pipe()
    os.close(source)
    with os.fdopen(sink, "wb", buffering=0) as writer, pytest.raises(BrokenPipeError):
        write_frame(writer, b"hello")


def test_objects_survive() -> None:
    message = {"a": (1, 2.5, None), "b": b"\x00"}
    assert decode(bytearray(encode(message))) == message
