from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from antiphon.errors import ProgramError
from antiphon.frontends.codec import FrontendCodec
from antiphon.server.api.programs import read_program
from antiphon.server.api.submissions import ProgramBody
from programs import BELL

ENGINE: Any = SimpleNamespace(codec=FrontendCodec())


def body(source: str = BELL, **changes: Any) -> ProgramBody:
    return ProgramBody.model_validate({"format": "openqasm3", "source": source, **changes})


def test_a_name_is_a_label_and_changes_nothing_else() -> None:
    first, named = read_program(ENGINE, body()), read_program(ENGINE, body(name="mine"))
    assert (named.name, named.digest, named.circuit) == ("mine", first.digest, first.circuit)


def test_text_without_a_format_and_base64_are_the_same_program() -> None:
    encoded = base64.b64encode(BELL.encode()).decode()
    found = {
        read_program(ENGINE, given).digest
        for given in (BELL, body(), body(encoded, encoding="base64"), body(encoded, encoding="base64", format=None))
    }
    assert len(found) == 1


def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(ProgramError, match="nonsense"):
        read_program(ENGINE, body("OPENQASM 3.0; nonsense"))
    with pytest.raises(ProgramError, match="not base64"):
        read_program(ENGINE, body("é", encoding="base64"))
