"""Turns LLVM bitcode into LLVM assembly in a process of its own: LLVM's bitcode reader crashes on corrupt input.

Only text comes back, which the parser of assembly reads without crashing.
"""

from __future__ import annotations

import subprocess
import sys

from antiphon.errors import LimitError, ProgramError

SECONDS = 30.0

_CHILD = """
import sys
import pyqir
try:
    module = pyqir.Module.from_bitcode(pyqir.Context(), sys.stdin.buffer.read(), "program")
    fault = module.verify()
    text = str(module) if fault is None else ""
except BaseException as error:
    fault = str(error) or type(error).__name__
if fault is not None:
    sys.stderr.write(fault)
    sys.exit(3)
sys.stdout.buffer.write(text.encode())
"""
_REFUSED = 3


def disassembled(bitcode: bytes) -> str:
    """The module as assembly.

    Raises:
        ProgramError: It is not valid bitcode; the cause has LLVM's words, or says that its reader crashed.
        LimitError: Reading took too long.
    """
    try:
        child = subprocess.run(  # noqa: S603 - this interpreter, and nothing of the input on its command line
            [sys.executable, "-I", "-c", _CHILD], input=bitcode, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise LimitError(
            f"Reading the QIR bitcode took longer than {SECONDS:.0f} s.", next_step="Submit LLVM assembly instead."
        ) from None
    if child.returncode == 0:
        return child.stdout.decode(errors="replace")
    reason = child.stderr.decode(errors="replace")[-300:] if child.returncode == _REFUSED else "LLVM's reader crashed."
    raise ProgramError(
        "The QIR bitcode is not valid.",
        cause=reason,
        next_step="Submit what the compiler wrote, unchanged, or LLVM assembly instead.",
        code="qir-invalid",
    )
