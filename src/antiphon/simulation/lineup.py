"""Which policies are put side by side, as they are written: "antiphon:access=exclusive,gap=30s"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from antiphon.domain.queues import Access, QueuePolicy
from antiphon.errors import InvalidRequestError
from antiphon.simulation.contenders import CONTENDERS, Contender

KEYS = ("access", "gap", "patience", "aged-every", "window", "quantum")


@dataclass(frozen=True, slots=True)
class Entry:
    """A policy with its parameters, under the name it was given by."""

    name: str
    contender: Contender
    policy: QueuePolicy


def line_up(words: Sequence[str], given: Mapping[str, str], seconds: Callable[[str], float]) -> list[Entry]:
    """The policies of these names.

    Args:
        given: The parameters of those that do not say otherwise; one for each of KEYS.
        seconds: Reads a span of time.

    Raises:
        InvalidRequestError: There is no such policy or parameter (code "queue-rule-unknown"), or the value is none
            for it (code "queue-rule-invalid").
    """
    entries = []
    for word in dict.fromkeys(words):
        name, _, rest = word.partition(":")
        contender = CONTENDERS.get(name)
        if contender is None:
            raise _unknown(f"There is no policy {name[:80]!r}.", f"the policies are {', '.join(CONTENDERS)}")
        own = dict(given)
        for part in filter(None, rest.split(",")):
            key, _, value = part.partition("=")
            if key not in KEYS:
                raise _unknown(f"A policy has no parameter {key[:80]!r}.", f"the parameters are {', '.join(KEYS)}")
            own[key] = value
        entries.append(Entry(word, contender, _policy(own, seconds)))
    return entries


def _policy(values: Mapping[str, str], seconds: Callable[[str], float]) -> QueuePolicy:
    return QueuePolicy(
        target="",
        slots=1,
        access=_access(values["access"]),
        gap_s=_at_least(0.0, "gap", seconds(values["gap"])),
        patience_s=_at_least(0.0, "patience", seconds(values["patience"])),
        aged_every=_whole("aged-every", values["aged-every"]),
        window_s=_at_least(1.0, "window", seconds(values["window"])),
        quantum_s=_at_least(0.001, "quantum", seconds(values["quantum"])),
    )


def _access(value: str) -> Access:
    try:
        return Access(value)
    except ValueError:
        raise _invalid("access", value, f"it is one of {', '.join(Access)}") from None


def _whole(key: str, value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 1_000_000:
        raise _invalid(key, value, "it is a whole number from 1 on")
    return int(value)


def _at_least(least: float, key: str, value: float) -> float:
    if not least <= value < 1e12:
        raise _invalid(key, f"{value:g} s", f"it is at least {least:g} s")
    return value


def _unknown(message: str, cause: str) -> InvalidRequestError:
    return InvalidRequestError(
        message,
        code="queue-rule-unknown",
        cause=cause,
        next_step="Write for example --policy antiphon:access=exclusive,gap=30s.",
    )


def _invalid(key: str, value: str, cause: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{value[:80]!r} cannot be the {key} of a policy.",
        code="queue-rule-invalid",
        cause=cause,
        next_step="See the parameters with `antiphon simulate --help`.",
    )
