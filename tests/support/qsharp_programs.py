"""Q# programs compiled to QIR by the real compiler, for the tests of the QIR front end and engine."""

from __future__ import annotations

import os
from functools import cache

PROGRAMS = {
    "bell": """operation Main() : (Result, Result) {
        use (a, b) = (Qubit(), Qubit()); H(a); CNOT(a, b); return (MResetZ(a), MResetZ(b)); }""",
    "ghz": """operation Main() : Result[] {
        use q = Qubit[3]; H(q[0]); CNOT(q[0], q[1]); CNOT(q[1], q[2]); return MResetEachZ(q); }""",
    "first_of_three": """operation Main() : Result[] { use q = Qubit[3]; X(q[0]); return MResetEachZ(q); }""",
    "two_arrays": """operation Main() : (Result[], Result[]) {
        use q = Qubit[3]; X(q[0]); return (MResetEachZ(q[0..1]), [MResetZ(q[2])]); }""",
    "nested": """operation Main() : (Result, (Result, Result[])) {
        use q = Qubit[4]; X(q[0]); X(q[3]);
        return (MResetZ(q[0]), (MResetZ(q[1]), [MResetZ(q[2]), MResetZ(q[3])])); }""",
    "nothing": "operation Main() : Unit { use q = Qubit(); H(q); Reset(q); }",
    "teleport": """operation Main() : Result {
        use (m, a, b) = (Qubit(), Qubit(), Qubit());
        Ry(0.7, m); H(a); CNOT(a, b); CNOT(m, a); H(m);
        if MResetZ(a) == One { X(b); }
        if MResetZ(m) == One { Z(b); }
        return MResetZ(b); }""",
    "every_gate": """operation Main() : Result[] {
        use q = Qubit[3];
        H(q[0]); H(q[1]); Ry(0.4, q[2]); Rx(0.3, q[0]); Rz(0.9, q[1]); S(q[0]); T(q[1]); Adjoint S(q[2]);
        Adjoint T(q[0]); Y(q[1]); Z(q[2]); SX(q[0]); Rxx(0.2, q[0], q[1]); Ryy(0.5, q[1], q[2]); Rzz(0.7, q[0], q[2]);
        CNOT(q[0], q[1]); CY(q[1], q[2]); CZ(q[0], q[2]); SWAP(q[0], q[1]); CCNOT(q[0], q[1], q[2]); H(q[0]); H(q[1]);
        return MResetEachZ(q); }""",
    "half_measured": """operation Main() : Result {
        use (a, b) = (Qubit(), Qubit()); H(a); CNOT(a, b);
        let first = M(a); if first == One { X(b); } H(a); let _ = MResetZ(a); return MResetZ(b); }""",
    "repeat_until_success": """operation Main() : (Result, Int) {
        use q = Qubit(); mutable turns = 0; mutable found = Zero;
        repeat { H(q); set found = MResetZ(q); set turns += 1; } until found == One;
        return (found, turns); }""",
    "angle_of_turns": """operation Main() : (Result, Int) {
        use q = Qubit(); mutable turns = 0; mutable found = Zero;
        repeat { H(q); set found = MResetZ(q); set turns += 1; } until found == One;
        Rx(0.1 * Std.Convert.IntAsDouble(turns), q); Reset(q);
        return (found, turns); }""",
    "phase_estimation": """operation Main() : Result[] {
        use (a, t) = (Qubit(), Qubit()); X(t);
        mutable results = []; mutable phase = 0.0;
        for i in 0..2 {
            H(a);
            for _ in 1..2^(2-i) { Controlled R1([a], (2.0 * 3.141592653589793 * 0.375, t)); }
            R1(-phase, a); H(a);
            let r = MResetZ(a); set results += [r]; set phase = phase / 2.0;
            if r == One { set phase += 3.141592653589793 / 2.0; }
        }
        Reset(t); return results; }""",
    "count": """operation Main() : Int {
        use q = Qubit[2]; ApplyToEach(H, q); mutable n = 0;
        for i in 0..1 { if MResetZ(q[i]) == One { set n += 1; } }
        return n; }""",
    "mixed": """operation Main() : (Bool, Result, Int) {
        use q = Qubit(); H(q); let r = MResetZ(q); return (r == One, r, 5); }""",
    "double": "operation Main() : Double { use q = Qubit(); H(q); return MResetZ(q) == One ? 0.5 | -1.25; }",
}


@cache
def qir(name: str, profile: str = "Adaptive_RI") -> bytes:
    """The program of that name as QIR text, for a target profile of the QDK."""
    return compiled(PROGRAMS[name], profile)


@cache
def compiled(operation: str, profile: str = "Adaptive_RI") -> bytes:
    """A Q# operation Main without arguments as QIR text."""
    os.environ["QDK_PYTHON_TELEMETRY"] = "none"
    from qdk import TargetProfile, qsharp

    qsharp.init(target_profile=getattr(TargetProfile, profile))
    qsharp.eval(operation)
    return bytes(qsharp.compile("Main()")._repr_qir_())


def bitcode(text: bytes) -> bytes:
    """QIR text as LLVM bitcode."""
    import pyqir

    return bytes(pyqir.Module.from_ir(pyqir.Context(), text.decode(), "program").bitcode)
