"""Secrets are cut out of what is logged, whoever logs it: keys, tokens, signatures of URLs, passwords in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "[hidden]"

_NAMES = (
    "authorization|proxy-authorization|cookie|set-cookie|x-api-key|x-ms-quantum-api-key|api[_-]?key|password|passwd"
    "|client_secret|access_token|refresh_token|id_token|secret|token|sig"
)
_SECRET_FIELD = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A name and its value: in a query, in a header, in a mapping or a pair that was printed.
    (
        re.compile(
            rf"(?<![\w-])({_NAMES})(=(?:b?[\"'])?|%3D|[\"']?\s*:\s*(?:b?[\"'])?|[\"'],\s*b?[\"'])"
            r"(?:(?:bearer|basic)\s+)?[^\s&\"',;)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    # Our own keys: the id says which one it was, the rest opens things.
    (re.compile(r"(ant_[0-9a-z]{26})_[a-z2-7]{8,}"), rf"\1_{HIDDEN}"),
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), f"whsec_{HIDDEN}"),
    # JSON Web Tokens, signed or encrypted.
    (re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*){2,4}"), HIDDEN),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{HIDDEN}@"),
)
_MARKS = ("ant_", "whsec_", "eyj", "bearer", "basic", "://", "auth", "cookie", "key", "passw", "secret", "token", "sig")
"""What any of them has in it: most texts have none, and each line has many."""

_OURS = frozenset({"time", "level", "logger", "route", "target"})
"""Fields whose values are this program's own words."""


def redact(text: str) -> str:
    """The text with every secret in it replaced by `[hidden]`."""
    lower = text.lower()
    # A loop of its own: `any` over a generator takes three times as long, and each line of each request comes here.
    for mark in _MARKS:
        if mark in lower:
            return _cut_out(text)
    return text


def _cut_out(text: str) -> str:
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_FIELD.fullmatch(name) is not None


def redact_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a log line with secrets replaced, at any depth; as a whole where the name says that it is one."""
    return {
        name: value if name in _OURS else HIDDEN if value and _is_secret(name) else _redacted(value)
        for name, value in fields.items()
    }


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_fields({str(name): each for name, each in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(each) for each in value]
    # What the writer would print by itself.
    return redact(repr(value))
