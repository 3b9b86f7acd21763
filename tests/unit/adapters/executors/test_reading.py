from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from qiskit import QuantumCircuit, qpy

from antiphon.adapters.executors.places import Places
from antiphon.adapters.executors.reading import Pieces, ReadingCodec, ReadProgram
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.errors import AntiphonError, ProgramError, StoreError
from antiphon.frontends.codec import FrontendCodec
from antiphon.frontends.recognise import to_program
from programs import BELL

ENDLESS = "OPENQASM 3.0; for int i in [0:100000] { for int j in [0:100000] { } }"
WIDE = 'OPENQASM 3.0; include "stdgates.inc"; qubit[1000] q; for int i in [0:900] { rx(i) q; }'
LONG = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2];' + "cx q[0], q[1];" * 12_000
RECURSIVE = 'OPENQASM 2.0; include "qelib1.inc"; gate g a { h a; } qreg q[1]; g q[0];'


@pytest.fixture(scope="module")
def codec() -> Iterator[ReadingCodec]:
    codec = ReadingCodec(readers=1, seconds=60)
    yield codec
    codec.close()


def qpy_of(circuit: QuantumCircuit) -> bytes:
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    return buffer.getvalue()


def readers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("text", [BELL, RECURSIVE, LONG])
def test_what_is_read_apart_is_what_is_read_here(codec: ReadingCodec, text: str) -> None:
    assert codec.read(text) == to_program(text)
    assert codec.read(text.encode()) == to_program(text.encode())


def test_formats_of_sdks_are_read_apart_too(codec: ReadingCodec) -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    source = qpy_of(circuit)
    here = FrontendCodec().load(ProgramFormat.QPY, source, name="", entry_point=None)
    assert codec.load(ProgramFormat.QPY, source, name="", entry_point=None) == here
    assert codec.load(ProgramFormat.QPY, source, name="mine", entry_point=None).name == "mine"


def test_an_error_of_the_front_end_comes_home_as_it_is(codec: ReadingCodec) -> None:
    with pytest.raises(ProgramError) as found:
        codec.read(RECURSIVE + "nonsense q[0];")
    with pytest.raises(ProgramError) as here:
        to_program(RECURSIVE + "nonsense q[0];")
    assert found.value.to_dict() == here.value.to_dict()


def test_plain_text_needs_no_reader() -> None:
    codec = ReadingCodec()
    before = len(readers())
    codec.read(BELL)
    assert len(readers()) == before
    codec.close()


def test_a_program_is_read_once_and_found_again_by_its_own_format(
    codec: ReadingCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = codec.read(RECURSIVE + "// once")

    def never(request: ReadProgram) -> object:
        raise AssertionError("it was read again")

    monkeypatch.setattr(codec, "_read_apart", never)
    assert codec.read(RECURSIVE + "// once") is first
    again = codec.load(first.format, first.source, name=first.name, entry_point=first.entry_point)
    assert again is first


def test_a_reader_that_hangs_is_killed_and_the_program_refused_at_once_for_a_while() -> None:
    codec = ReadingCodec(readers=1, seconds=0.5)
    with pytest.raises(ProgramError) as found:
        codec.read(ENDLESS)
    assert found.value.code == "program-unreadable"
    assert "longer than 0.5 s" in found.value.cause
    with pytest.raises(ProgramError) as again:
        codec.read(ENDLESS)
    assert again.value is not found.value
    assert again.value.to_dict() == found.value.to_dict()
    codec.close()


def test_a_reader_that_eats_memory_ends_alone() -> None:
    codec = ReadingCodec(readers=1, seconds=120, memory_bytes=96 * 2**20)
    with pytest.raises(ProgramError) as found:
        codec.read(WIDE)
    assert found.value.code == "program-unreadable"
    assert "96 MiB" in found.value.cause
    assert codec.read(RECURSIVE).num_qubits == 1
    codec.close()


def test_a_reader_that_crashes_ends_alone() -> None:
    # This process has other children, too: servers that other tests need alive.
    others = {child.pid for child in readers()}
    codec = ReadingCodec(readers=1, seconds=120)
    codec.read(RECURSIVE)
    mine = {child.pid for child in readers()} - others
    assert len(mine) == 1
    outcome: list[Program | AntiphonError] = []

    def ask() -> None:
        try:
            outcome.append(codec.read(ENDLESS))
        except AntiphonError as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not outcome and not any(psutil.Process(pid).cpu_percent(0.05) > 20 for pid in mine):
        time.sleep(0.01)
    for pid in mine:
        os.kill(pid, signal.SIGSEGV)
    thread.join(60)
    (found,) = outcome
    assert isinstance(found, ProgramError)
    assert found.code == "program-unreadable"
    assert "crashed" in found.cause
    assert codec.read(RECURSIVE + "// again").num_qubits == 1
    codec.close()


def test_more_than_can_be_read_are_refused_at_once() -> None:
    codec = ReadingCodec(readers=1, seconds=120, places=Places(1))
    ended: list[AntiphonError] = []

    def ask() -> None:
        try:
            codec.read(ENDLESS)
        except AntiphonError as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not codec._texts.num_asked:
        time.sleep(0.01)
    with pytest.raises(StoreError) as found:
        codec.read(RECURSIVE)
    assert found.value.code == "readers-busy"
    assert codec.read(BELL).num_qubits == 2
    codec.close()
    thread.join(30)
    assert [error.code for error in ended] == ["store-closed"]


def test_who_waits_too_long_is_told_so() -> None:
    codec = ReadingCodec(readers=1, seconds=120, patience_seconds=0.2)
    with pytest.raises(StoreError) as found:
        codec.read(ENDLESS)
    assert found.value.code == "readers-busy"
    assert not codec._texts.num_asked
    codec.close()


def test_pieces_make_the_same_program() -> None:
    for program in (to_program(BELL), to_program(LONG)):
        pieces = Pieces.of(program)
        assert pieces.program() == program
        assert pieces.weight >= len(program.source)
    assert len(Pieces.of(to_program(LONG)).pieces) == 3
