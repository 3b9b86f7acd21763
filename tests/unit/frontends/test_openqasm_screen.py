from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import AntiphonError, LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.openqasm import program_from_openqasm
from antiphon.frontends.openqasm_screen import screen

SECRET = "a line nobody may see"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret.inc"
    path.write_text(SECRET)
    path.chmod(0o400)
    return path


@pytest.mark.parametrize(
    "template",
    [
        'OPENQASM 3.0;\ninclude "{}";\nqubit q;',
        'OPENQASM 2.0;\ninclude "{}";\nqreg q[1];',
        'include/* hidden */"{}";',
        'include // hidden\n "{}";',
        "include '{}';",
        'OPENQASM 3.0; qubit q; if (true) {{ include "{}"; }}',
        '@note "\ninclude "{}";\nqubit q;',
        '@note /*\ninclude "{}";\nqubit q; // */',
        '// comment\rinclude "{}";\rqubit q;',
        'OPENQASM 3.0;include"{}";',
        'OPENQASM 3.0; include "stdgates.inc"; include "{}";',
    ],
)
def test_an_include_of_a_local_file_is_refused_without_opening_it(
    template: str, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("builtins.open", lambda path, *_, **__: opened.append(str(path)))
    with pytest.raises(ProgramError) as caught:
        screen(template.format(secret_file))
    assert caught.value.code == "include-refused"
    assert SECRET not in str(caught.value)
    assert str(secret_file) not in str(caught.value)
    assert opened == []


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../stdgates.inc", "stdgates.inc ", "", "STDGATES.INC", "a/../qelib1.inc"]
)
def test_only_the_two_standard_files_can_be_included(name: str) -> None:
    with pytest.raises(ProgramError, match="include at line 2, column 1") as caught:
        program_from_openqasm(f'OPENQASM 3.0;\ninclude "{name}";\nqubit q;')
    assert "root:" not in str(caught.value)


def test_even_the_parser_itself_reads_no_file(secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The second line of defence: should the screen ever miss an include, nothing of the file comes back.
    monkeypatch.setattr("antiphon.frontends.openqasm_parser.screen", lambda _: 3)
    with pytest.raises(ProgramError) as caught:
        program_from_openqasm(f'OPENQASM 3.0;\ninclude "{secret_file}";\nqubit q;')
    assert SECRET not in repr(caught.value.to_dict())


@pytest.mark.parametrize(
    "text", ["include words in a comment", '/* include "x"; */ qubit q;', '// include "x"\nqubit q;']
)
def test_an_include_in_a_comment_is_no_include(text: str) -> None:
    body = text if "qubit" in text else f"// {text}\nqubit q;"
    assert screen(body) == 3


def nested(opening: str, closing: str, depth: int) -> str:
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize(
    "text",
    [
        f"OPENQASM 3.0; qubit q; U({nested('(', ')', 10_000)}, 0, 0) q;",
        "OPENQASM 3.0; qubit q; " + "{" * 10_000 + "}" * 10_000,
        f"OPENQASM 2.0; qreg q[1]; U({nested('sin(', ')', 10_000)},0,0) q[0];",
        "OPENQASM 3.0; qubit q; U(" + "-" * 10_000 + "1, 0, 0) q;",
        "OPENQASM 3.0; qubit q; U(" + "1+" * 10_000 + "1, 0, 0) q;",
        "OPENQASM 3.0; qubit q; U(" + "2**" * 10_000 + "1, 0, 0) q;",
        "OPENQASM 3.0; bit c; qubit q; " + "if (c) " * 10_000 + "U(1,0,0) q;",
        "OPENQASM 3.0; bit c; qubit q; " + "while (c) " * 10_000 + "U(1,0,0) q;",
        "OPENQASM 3.0; bit c; qubit q; " + "if (c) {} else " * 10_000 + "{}",
        "OPENQASM 3.0; bit c; qubit q; " + "if (c) U(1,0,0) q; else " * 10_000 + "{}",
        "OPENQASM 3.0; qubit q; " + "inv @ " * 10_000 + "U(1,0,0) q;",
        "OPENQASM 3.0; qubit q; " + "ctrl @ " * 10_000 + "U(1,0,0) q;",
        "OPENQASM 3.0; qubit q; bit[4] c; c = c" + "[0:3]" * 10_000 + ";",
        "OPENQASM 3.0; int k = " + "int(" * 10_000 + "1" + ")" * 10_000 + ";",
    ],
)
def test_text_that_would_overflow_a_parser_is_refused(text: str) -> None:
    with pytest.raises(LimitError):
        program_from_openqasm(text)


def test_text_that_is_too_long_is_refused_before_it_is_scanned() -> None:
    with pytest.raises(LimitError, match="10,000,001 characters"):
        screen(" " * 10_000_001)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("qubit q;\0", "NUL byte at line 1, column 9"),
        ("qubit q; /* never closed", "comment at line 1"),
        ('qubit q; "never closed', "string at line 1"),
        ("qubit[3 q;", "never closed"),
        ("qubit 3] q;", "closes nothing"),
        ("OPENQASM 4.0; qubit q;", "OpenQASM 4.0"),
        ("OPENQASM 2.1; qreg q[1];", "OpenQASM 2.1"),
        ("OPENQASM x; qubit q;", "version"),
        ("qubit q\ud800;", "surrogate"),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        screen(text)


@pytest.mark.parametrize(
    "line", ["pragma do something", "#pragma x", "cal { play; }", "defcal x $0 {}", 'defcalgrammar "o";']
)
def test_pragmas_and_calibrations_are_refused_by_name(line: str) -> None:
    with pytest.raises(UnsupportedProgramError, match="Line 3"):
        screen(f"OPENQASM 3.0;\nqubit q;\n{line}\n")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("OPENQASM 2.0; qreg q[1];", 2),
        ("// first\n/* then */ OPENQASM 2.0;", 2),
        ("OPENQASM 3; qubit q;", 3),
        ("OPENQASM 3.1; qubit q;", 3),
        ("qubit q;", 3),
        ('include "qelib1.inc"; qreg q[1];', 2),
        ('include "stdgates.inc"; qubit q;', 3),
    ],
)
def test_the_version_is_in_the_header_or_follows_a_rule(text: str, version: int) -> None:
    assert screen(text) == version


def test_every_refusal_says_what_to_do() -> None:
    for text in ["qubit q;\0", 'include "x";', "pragma x", "(" * 100, "OPENQASM 9;"]:
        with pytest.raises(AntiphonError) as caught:
            screen(text)
        assert caught.value.next_step
