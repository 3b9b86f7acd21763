"""Refuses dangerous OpenQASM text before any parser sees it.

Engines open the file that an `include` names and echo its lines; parsers recurse and overflow the process's stack. So
the text is scanned here once, comments and strings set apart, without opening anything.
"""

from __future__ import annotations

import re

from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError

MAX_BYTES = 10_000_000
MAX_NESTING = 64
MAX_TERMS = 250
"""Operators and nested keywords in one statement: each may be a level of a parser's recursion."""
MAX_ELSE_IF = 100

ALLOWED_INCLUDES = frozenset({"stdgates.inc", "qelib1.inc"})

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n\r]*|/\*.*?(?:\*/|\Z))
      | (?P<string>"[^"\n\r]*"?|'[^'\n\r]*'?)
      | (?P<annotation>@[^\W\d]\w*)
      | (?P<word>[^\W\d]\w*)
      | (?P<number>(?:\d[\w.]*)(?:(?<=[eE])[+-]\d+)?)
      | (?P<open>[(\[{])
      | (?P<close>[)\]}])
      | (?P<end>;)
      | (?P<term>[-+*/%^~!<>=&|@\#:,.])""",
    re.VERBOSE | re.DOTALL,
)
_NESTING_WORDS = frozenset({"if", "else", "while", "for", "ctrl", "negctrl", "inv", "pow", "switch", "measure"})
_REFUSED_WORDS = {
    "pragma": "a pragma",
    "cal": "a calibration block",
    "defcal": "a calibration definition",
    "defcalgrammar": "a calibration grammar",
}
_HEADER = re.compile(r"OPENQASM\s+(\d+)(?:\.(\d+))?\s*;")


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character offset."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def _where(text: str, offset: int) -> str:
    line, column = position(text, offset)
    return f"line {line}, column {column}"


def screen(text: str) -> int:
    """The major version of OpenQASM, 2 or 3, of text that is safe to parse.

    Without a header the text is OpenQASM 3, as the specification of version 3 has it, unless it includes qelib1.inc,
    which only version 2 has.

    Raises:
        LimitError: Too long, or nested too deeply for a parser's stack.
        ProgramError: A NUL byte, an include of anything but the standard files, an open comment or string, brackets
            that do not match, or an unknown version. The message never holds anything from another file.
        UnsupportedProgramError: Pragmas and calibration blocks.
    """
    if len(text) > MAX_BYTES:
        raise LimitError(
            f"The OpenQASM text has {len(text):,} characters, more than the {MAX_BYTES:,} that are read.",
            next_step="Use loops and gate definitions, or submit the program in parts.",
        )
    if "\0" in text:
        raise ProgramError(
            f"The OpenQASM text holds a NUL byte at {_where(text, text.index(chr(0)))}.",
            next_step="Submit plain UTF-8 text.",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ProgramError(
            f"The OpenQASM text holds half a surrogate pair at {_where(text, error.start)}.",
            next_step="Submit plain UTF-8 text.",
        ) from None
    version, includes = _header_version(text), _scan(text)
    if version is None:
        return 2 if "qelib1.inc" in includes else 3
    return version


def _header_version(text: str) -> int | None:
    start = _first_token(text)
    header = _HEADER.match(text, start)
    if header is None:
        if text.startswith("OPENQASM", start):
            raise ProgramError(
                f"The OpenQASM version at {_where(text, start)} cannot be read.",
                next_step='Begin the text with "OPENQASM 3.0;" or "OPENQASM 2.0;".',
            )
        return None
    major, minor = int(header[1]), int(header[2] or 0)
    if (major, minor) != (2, 0) and major != 3:
        raise ProgramError(
            f"OpenQASM {major}.{minor} is not a version that is read.",
            next_step='Begin the text with "OPENQASM 3.0;" or "OPENQASM 2.0;".',
        )
    return major


def _first_token(text: str) -> int:
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "comment":
            return match.start()
    return len(text)


class _Nesting:
    """How deep a recursive parser would be at the current word."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.brackets: list[str] = []
        self.terms = 0
        self.else_if: list[int] = [0]

    def open(self, bracket: str, at: int) -> None:
        self.brackets.append(bracket)
        if bracket == "{":
            self.terms = 0
            self.else_if.append(0)
        if len(self.brackets) > MAX_NESTING:
            raise LimitError(
                f"Brackets are nested more than {MAX_NESTING} deep at {_where(self.text, at)}.",
                next_step="Name the inner parts: use gate definitions and constants.",
            )

    def close(self, bracket: str, at: int) -> None:
        pair = {")": "(", "]": "[", "}": "{"}[bracket]
        if not self.brackets or self.brackets[-1] != pair:
            raise ProgramError(
                f"The {bracket!r} at {_where(self.text, at)} closes nothing.", next_step="Match the brackets."
            )
        self.brackets.pop()
        if bracket == "}":
            self.terms = 0
            self.else_if.pop()

    def term(self, at: int) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise LimitError(
                f"The statement at {_where(self.text, at)} has more than {MAX_TERMS} operators.",
                next_step="Split it: use constants, aliases or registers.",
            )

    def otherwise(self, at: int) -> None:
        self.else_if[-1] += 1
        if self.else_if[-1] > MAX_ELSE_IF:
            raise LimitError(
                f"The chain of else branches at {_where(self.text, at)} is longer than {MAX_ELSE_IF}.",
                next_step="Use separate if statements or a switch.",
            )


def _scan(text: str) -> set[str]:  # noqa: C901 - one branch a kind of word
    """Check every word; the names of the standard files that are included."""
    nesting, includes, last = _Nesting(text), set[str](), ""
    include_at: int | None = None
    end = 0
    while match := _TOKEN.search(text, end):
        kind, word, at = match.lastgroup, match.group(), match.start()
        end = match.end()
        if kind == "annotation" and last in {"", ";", "{", "}"}:
            # To the end of the line anything may follow: a quote there must not hide the lines below.
            end = _line_end(text, end)
            continue
        if kind == "comment":
            if word.startswith("/*") and not (word.endswith("*/") and len(word) >= 4):
                raise ProgramError(f"The comment at {_where(text, at)} is not closed.", next_step="Add */.")
            continue
        if include_at is not None:
            includes.add(_included(text, include_at, kind, word))
            include_at = None
        elif kind == "string":
            if len(word) < 2 or word[-1] != word[0]:
                raise ProgramError(f"The string at {_where(text, at)} is not closed.", next_step="Add the quote.")
        elif kind == "word":
            if word == "include":
                include_at = at
            elif word in _REFUSED_WORDS:
                raise _refused(text, at, word)
            elif word in _NESTING_WORDS:
                nesting.term(at)
            if last in {"}", ";"} and not any(b != "{" for b in nesting.brackets):
                if word == "else":
                    nesting.otherwise(at)
                else:
                    nesting.else_if[-1] = 0
        elif kind == "open":
            if word == "[" and last == "]":
                nesting.term(at)
            nesting.open(word, at)
        elif kind == "close":
            nesting.close(word, at)
        elif kind == "end":
            nesting.terms = 0
        elif kind in {"term", "annotation"} and word not in {",", ".", ":"}:
            nesting.term(at)
        last = word
    if include_at is not None:
        includes.add(_included(text, include_at, None, ""))
    if nesting.brackets:
        raise ProgramError(f"A {nesting.brackets[-1]!r} is never closed.", next_step="Match the brackets.")
    return includes


def _line_end(text: str, start: int) -> int:
    match = re.compile(r"[\n\r]|\Z").search(text, start)
    assert match is not None
    return match.start()


def _included(text: str, at: int, kind: str | None, word: str) -> str:
    name = word[1:-1] if kind == "string" and len(word) > 2 and word[0] == word[-1] == '"' else ""
    if name not in ALLOWED_INCLUDES:
        raise ProgramError(
            f"The include at {_where(text, at)} is refused: only stdgates.inc and qelib1.inc can be included.",
            cause="An include names a file on the machine that reads the program, so none is ever opened.",
            next_step="Paste the definitions you need into the program.",
            code="include-refused",
        )
    return name


def _refused(text: str, at: int, word: str) -> UnsupportedProgramError:
    return UnsupportedProgramError(
        f"{_where(text, at).capitalize()}: {_REFUSED_WORDS[word]} ({word}) has no meaning here.",
        cause="It would change what the program does on a device, and nothing that is submitted is silently dropped.",
        next_step=f"Remove the {word} and describe the circuit with gates, delays and barriers.",
        details={"instruction": word},
    )
