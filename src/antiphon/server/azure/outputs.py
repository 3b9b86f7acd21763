"""Results in the formats that Azure's clients decode.

We keep counts and not shots. Where a format lists shots, the counts are written out shot by shot in an order drawn from
the job's own seed: the same job always gives the same list, and the order means nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.domain.batches import BatchItem
from antiphon.domain.jobs import Job
from antiphon.domain.results import Counts, Outcome, Sampled, outcome_from_json
from antiphon.errors import LimitError, UnsupportedProgramError
from antiphon.server.azure.shapes import display_of, holds_values, json_of, value_of, width_of

QUANTUM_V2 = "microsoft.quantum-results.v2"
QUANTUM_V1 = "microsoft.quantum-results.v1"
IONQ = "ionq.quantum-results.v1"
HONEYWELL = "honeywell.quantum-results.v1"
CONTENT_TYPE = "application/json"
SEPARATORS = (",", ":")

MOST_LISTED_BYTES = 200 * 2**20
"""A million shots of 50 bits are half of it."""

_BYTES_A_SHOT = 16

LAYOUT = "output"
"""Key of a job's details that holds `AzureInput.layout` for the writer."""


def check_output_format(output_format: str, layout: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a format that could not be written in the end.

    Args:
        layout: What `layout_of` says of each program.

    Raises:
        UnsupportedProgramError: Unknown, several programs in a format that holds one, or values in one of bit strings.
    """
    if output_format not in _WRITERS:
        raise UnsupportedProgramError(
            f"Results cannot be written in the format {output_format!r:.100}.",
            code="output-format-unknown",
            next_step=f"Ask for {', '.join(_WRITERS)}.",
            details={"formats": list(_WRITERS)},
        )
    if len(layout) > 1 and output_format != QUANTUM_V2:
        raise UnsupportedProgramError(
            f"The format {output_format} holds the result of a single program.",
            code="output-format-single",
            cause=f"the job has {len(layout)} items",
            next_step=f"Ask for {QUANTUM_V2}, or submit the items as jobs of their own.",
        )
    if output_format in {IONQ, HONEYWELL} and any(holds_values(one) for one in layout):
        raise _no_bits()


def check_output_size(output_format: str, layout: Sequence[Mapping[str, Any]], shots: Sequence[int]) -> None:
    """Refuse results that would be too large once every shot is written out.

    Raises:
        LimitError: Code "result-too-large".
    """
    if output_format not in {QUANTUM_V2, HONEYWELL}:
        return
    size = sum(number * (_BYTES_A_SHOT + 2 * width_of(one)) for one, number in zip(layout, shots, strict=True))
    if size > MOST_LISTED_BYTES:
        raise LimitError(
            f"The result would be about {size // 2**20:,} MiB long, since {output_format} lists every shot.",
            code="result-too-large",
            cause=f"at most {MOST_LISTED_BYTES // 2**20} MiB are written",
            next_step="Ask for fewer shots, split them into jobs, or use Antiphon's own API, which keeps counts.",
            details={"bytes": size, "limit": MOST_LISTED_BYTES},
        )


def write_output(
    output_format: str,
    job: Job,
    outcomes: Sequence[Outcome],
    details: Mapping[str, Any],
    items: Sequence[BatchItem] = (),
) -> tuple[bytes, str]:
    """The content of a job's result blob, and its content type.

    Args:
        output_format: One that `check_output_format` accepts.
        job: The job; its pubs' seeds decide the order of shots.
        outcomes: One for each pub; leave them out for a batch of which only some items succeeded.
        details: The wire details of the job, of which `LAYOUT` and `metadata` are read.
        items: The items of a batch; what failed is written as its error.

    Raises:
        UnsupportedProgramError: The format cannot hold these results.
    """
    pubs = job.spec.pubs
    found: list[Outcome | None] = list(outcomes) or [
        outcome_from_json(item.outcome) if item.outcome is not None else None for item in items
    ]
    errors = [item.error for item in items] or [None] * len(pubs)
    layouts = details.get(LAYOUT) or [{}] * len(pubs)
    check_output_format(output_format, layouts)
    parts = [
        _Part(outcome, layout, pub.seed, pub.shots or 0, error)
        for outcome, layout, pub, error in zip(found, layouts, pubs, errors, strict=True)
    ]
    body = _WRITERS[output_format](parts, details.get("metadata") or {})
    return body.encode(), CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class _Part:
    """What became of one program."""

    outcome: Outcome | None
    layout: Mapping[str, Any]
    seed: int
    shots: int
    error: Mapping[str, Any] | None

    @property
    def sampled(self) -> Sampled:
        if not isinstance(self.outcome, Sampled):
            raise UnsupportedProgramError("The program has no counts that this format could hold.")
        return self.outcome

    @property
    def counts(self) -> Counts:
        return self.sampled.counts[0]

    def bits(self) -> Iterator[tuple[str, int]]:
        """Bit strings and their counts."""
        if self.sampled.outcomes != "bits":
            raise _no_bits()
        yield from self.counts.items()

    def chances(self) -> Iterator[tuple[str, float]]:
        """IonQ's key and the exact probability of each outcome, or its frequency where there is no exact one."""
        exact = self.sampled.probabilities
        total = sum(self.counts.values())
        found = ((key, count / total) for key, count in self.bits()) if exact is None else exact[0].items()
        for key, chance in found:
            yield str(int(key.replace(" ", "") or "0", 2)), chance

    def values(self) -> Iterator[tuple[str, str, int]]:
        """Display, JSON and count of each outcome; what failed has its error for all its shots."""
        if self.outcome is None:
            error = self.error or {"code": "cancelled", "message": "The item did not run."}
            wire = {"Error": {"Code": error["code"], "Name": error["message"], "Message": error.get("cause", "")}}
            yield f"Error {error['code']}: {error['message']}", json.dumps(wire, separators=SEPARATORS), self.shots
            return
        for key, count in self.counts.items():
            value = value_of(key, self.sampled.outcomes, self.layout)
            yield display_of(value), json.dumps(json_of(value), separators=SEPARATORS), count

    def in_order(self, shots: list[str]) -> list[str]:
        """The shots in the order that the seed draws."""
        random.Random(self.seed).shuffle(shots)  # noqa: S311 - an order, not a secret
        return shots


def _no_bits() -> UnsupportedProgramError:
    return UnsupportedProgramError(
        "The program returns values that are no measurement results, which this format cannot hold.",
        code="output-format-values",
        next_step=f"Ask for {QUANTUM_V2}.",
    )


def _quantum_v2(parts: Sequence[_Part], metadata: Mapping[str, Any]) -> str:
    del metadata
    return f'{{"DataFormat":"{QUANTUM_V2}","Results":[{",".join(map(_one_result, parts))}]}}'


def _one_result(part: _Part) -> str:
    # Text and not objects: a million shots are a million references to few texts.
    histogram: list[str] = []
    shots: list[str] = []
    for display, outcome, count in part.values():
        histogram.append(f'{{"Outcome":{outcome},"Display":{json.dumps(display)},"Count":{count}}}')
        shots.extend([outcome] * count)
    return f'{{"Histogram":[{",".join(histogram)}],"Shots":[{",".join(part.in_order(shots))}]}}'


def _quantum_v1(parts: Sequence[_Part], metadata: Mapping[str, Any]) -> str:
    del metadata
    [part] = parts
    total = sum(part.counts.values())
    histogram: list[Any] = []
    for display, _, count in part.values():
        histogram += [display, count / total]
    return json.dumps({"Histogram": histogram})


def _ionq(parts: Sequence[_Part], metadata: Mapping[str, Any]) -> str:
    del metadata
    [part] = parts
    return json.dumps({"histogram": dict(part.chances())})


def _honeywell(parts: Sequence[_Part], metadata: Mapping[str, Any]) -> str:
    """Strings of each register, the register declared last first: joined, they are Qiskit's bit string.

    Qiskit reads the last bit of a register first. Cirq's decoder, which its `measurement_dict` gives away, reads the
    first bit first.
    """
    [part] = parts
    backwards = "measurement_dict" in metadata
    names = [name for name, _ in part.layout.get("registers", ())][::-1]
    shots: list[str] = []
    for key, count in part.bits():
        shots.extend([key] * count)
    words = [key.split(" ") for key in part.in_order(shots)]
    names = names or [f"c{i}" for i in range(len(words[0]))][::-1]
    return json.dumps(
        {name: [word[place][::-1] if backwards else word[place] for word in words] for place, name in enumerate(names)}
    )


_WRITERS: dict[str, Callable[[Sequence[_Part], Mapping[str, Any]], str]] = {
    QUANTUM_V2: _quantum_v2,
    QUANTUM_V1: _quantum_v1,
    IONQ: _ionq,
    HONEYWELL: _honeywell,
}
