from __future__ import annotations

import pytest

from antiphon.adapters.executors.plain_text import PLAIN_BYTES, is_plain
from programs import BELL

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'


@pytest.mark.parametrize(
    "text",
    [
        BELL,
        BELL.encode(),
        HEAD + "h q[0]; cx q[0], q[1]; // two\nrz(-pi/4 + 0.5e-3) q;\nmeasure q -> c; reset q[0]; barrier q;",
        "OPENQASM 3;\ninput float theta;\nqubit[3] q;\nbit[3] c = measure q;\nc[0] = measure q[0];\nrx(2*theta) q[1];",
    ],
)
def test_declarations_gates_and_measurements_are_plain(text: str | bytes) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "gate g a { h a; }\ng q[0];",
        "OPENQASM 3; qubit q; for int i in [0:9] { x q; }",
        "OPENQASM 3; qubit q; for int i in [0:9] x q;",
        "OPENQASM 3; qubit q; while (true) x q;",
        "OPENQASM 3; qubit q; pow(1000000) @ x q;",
        "OPENQASM 3; const int n = 1000000; qubit[n] q;",
        "OPENQASM 3; qubit[1000000] q;",
        "OPENQASM 3; qubit q; rx(9**9) q;",
        "OPENQASM 2.0; qreg q[1]; rx(9^9) q[0];",
        "OPENQASM 3; qubit[0x7fffffff] q;",
        "OPENQASM 3; qubit[9_999_999] q;",
        'OPENQASM 3; include "/etc/passwd";',
        "OPENQASM 3; /* qubit q;",
        "OPENQASM 3; qubit q; x q",
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[999];' + "h q;" * 100,
        "OPENQASM 3; qubit q;" + "x q;" * (PLAIN_BYTES // 4),
        b"QISKIT\x0e\0\0",
        b"BC\xc0\xde",
        '{"circuit": []}',
    ],
)
def test_what_may_stand_for_more_than_it_shows_is_not(text: str | bytes) -> None:
    assert not is_plain(text)


@pytest.mark.parametrize("piece", ["(", "x[", "a,", "a ", "(a,", "rx(", "q[0],", " ", "\t;"])
def test_no_text_takes_longer_than_its_length_allows(piece: str) -> None:
    # A pattern that tries a text in many ways would not come back within the life of this test.
    assert is_plain("qubit q; " + piece * (PLAIN_BYTES // len(piece) - 10) + "!") is False
