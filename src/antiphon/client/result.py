"""Result: counts or expectation values, in the shape of the call that asked for them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.jobs import Job
from antiphon.domain.results import Estimated, Outcome, Sampled, ShotNoise, outcome_to_json
from antiphon.domain.work import JobKind
from antiphon.errors import AntiphonError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Result:
    """What a job returned.

    Bit order: bit 0 of a register is the rightmost character, registers are separated by one space, the register
    declared last stands leftmost, whatever SDK the program came from.

    Attributes:
        outcomes: One outcome for each program of the job; None for a batch item without one.
        job: The job it belongs to.
    """

    def __init__(self, job: Job, outcomes: Sequence[Outcome | None]) -> None:
        self.job = job
        self.outcomes = tuple(outcomes)

    @property
    def counts(self) -> Any:
        """Counts: a dict for `submit`, a list of dicts for `submit_batch` and `sweep`, in the order submitted.

        A sweep over an array of parameter sets lists them in C order; a batch item without a result is None.

        Raises:
            AntiphonError: The job estimated expectation values.
        """
        if self.job.spec.kind in {JobKind.SAMPLE, JobKind.SWEEP}:
            sampled = _sampled(self.outcomes[0])
            flat = [dict(counts) for counts in sampled.counts]
            return flat[0] if sampled.shape == () else flat
        batch: list[Any] = []
        for outcome in self.outcomes:
            if outcome is None:
                batch.append(None)
                continue
            sampled = _sampled(outcome)
            flat = [dict(counts) for counts in sampled.counts]
            batch.append(flat[0] if sampled.shape == () else flat)
        return batch

    @property
    def values(self) -> Any:
        """Expectation values: a float for one observable and one parameter set, else an array of the broadcast shape.

        Raises:
            AntiphonError: The job sampled counts.
        """
        return self._arrays("values")

    @property
    def stderr(self) -> Any:
        """Standard errors in the shape of `values`; 0 for exact values."""
        return self._arrays("stderr")

    @property
    def shots(self) -> int | None:
        """Repetitions of each program and parameter set; None for exact values."""
        first = next((outcome for outcome in self.outcomes if outcome is not None), None)
        return None if first is None else first.shots

    @property
    def exact_probabilities(self) -> Any:
        """Exact probabilities in the shape of `counts`, of work that was submitted with `exact_probabilities=True`.

        Outcomes of probability zero are left out. None stands where they could not be had, for work submitted with
        `exact_probabilities="where possible"`; the record's provenance says why.

        Raises:
            AntiphonError: The job estimated expectation values, or did not ask for them.
        """
        if not self.job.spec.options.get("exact_probabilities"):
            raise AntiphonError(
                "This job did not ask for exact probabilities.",
                code="result-kind",
                next_step="Submit with exact_probabilities=True; result.probabilities has the relative frequencies.",
            )
        each = [None if outcome is None else _exact(_sampled(outcome)) for outcome in self.outcomes]
        return each if self.job.spec.kind is JobKind.BATCH else each[0]

    @property
    def probabilities(self) -> Any:
        """Relative frequencies in the shape of `counts`; with readout errors undone where that was asked for."""
        counts = self.counts
        if any("probabilities" in (_told(outcome, "mitigation") or {}) for outcome in self.outcomes):
            each = [None if outcome is None else _mitigated(_sampled(outcome)) for outcome in self.outcomes]
            return each if self.job.spec.kind is JobKind.BATCH else each[0]
        if isinstance(counts, Mapping):
            return _frequencies(counts)
        return [None if each is None else _frequencies(each) for each in counts]

    @property
    def mitigation(self) -> Any:
        """What mitigation did, as JSON values: settings, raw and mitigated values, verdict and why, overhead.

        None for a job without; a list for one of several programs. `job.record` has it whole, with the counts of every
        circuit.
        """
        found = [_told(outcome, "mitigation") for outcome in self.outcomes]
        return found[0] if len(found) == 1 else found

    @property
    def allocation(self) -> Any:
        """How the shots of an estimate were shared, round by round; None where the target did it by itself."""
        found = [_told(outcome, "allocation") for outcome in self.outcomes]
        return found[0] if len(found) == 1 else found

    @property
    def raw(self) -> Result:
        """The result without mitigation, from the same shots as far as they say it; itself where nothing was done."""
        return Result(self.job, [None if outcome is None else _raw(outcome) for outcome in self.outcomes])

    def interval(self, level: float = 0.95, method: str | None = None) -> Any:
        """Confidence intervals, each by itself at `level`.

        Of expectation values, a pair (low, high) in the shape of `values`; the two are equal for exact ones. Of counts,
        {outcome: (low, high)} of its probability in the shape of `counts`; with readout errors undone where that was
        asked for (`result.raw.interval()` has those of what was read). They hold the noise of shots, of calibration
        circuits and of random instances, not the bias that mitigation leaves.

        Args:
            method: "exact" (Clopper and Pearson; of a probability alone, others have "score"), "score" (Wilson's, and
                what is like it for a sum) or "normal" (± standard errors). None: exact where the shots are few or
                nearly all alike, else score.

        Raises:
            AntiphonError: The level or the method is none (code "level-invalid").
            MissingExtraError: SciPy is not installed, and there are few shots or few random instances.
        """
        from antiphon.client import intervals

        if self.job.spec.kind is not JobKind.ESTIMATE:
            each = [
                None if outcome is None else _intervals(_sampled(outcome), level, method) for outcome in self.outcomes
            ]
            return each if self.job.spec.kind is JobKind.BATCH else each[0]
        found = []
        for outcome in self.outcomes:
            told = _estimated(outcome)
            ends = intervals.of_values(told, level, method)
            shaped = tuple(float(end[0]) if told.shape == () else end.reshape(told.shape) for end in ends)
            found.append(shaped)
        return found[0] if len(found) == 1 else found

    def to_dict(self) -> dict[str, Any]:
        """The whole result as JSON values."""
        return {
            "job": self.job.id,
            "kind": self.job.spec.kind.value,
            "outcomes": [None if outcome is None else outcome_to_json(outcome) for outcome in self.outcomes],
        }

    def plot_histogram(self, ax: Axes | None = None, *, index: int = 0, top: int = 32) -> Axes:
        """A bar chart of the counts with √N error bars; needs the extra `plots`.

        Args:
            index: Which counts of a batch or sweep.
            top: Show at most so many outcomes, the most frequent ones.
        """
        from antiphon.client.plots import histogram

        counts = self.counts
        chosen = counts if isinstance(counts, dict) else counts[index]
        return histogram(chosen, title=self.job.name, ax=ax, top=top)

    def _arrays(self, field: str) -> Any:
        arrays = [_array(outcome, field) for outcome in self.outcomes]
        return arrays[0] if len(arrays) == 1 else arrays

    def __repr__(self) -> str:
        if self.job.spec.kind is JobKind.ESTIMATE:
            return f"<Result of {self.job.id}: values={self.values!r}>"
        counts = self.counts
        text = repr(counts) if isinstance(counts, dict) and len(counts) <= 8 else f"{len(counts)} entries"
        return f"<Result of {self.job.id}: counts={text}>"

    def _repr_html_(self) -> str:
        from antiphon.client.html import counts_html, values_html

        title = f"Result of {self.job.name}"
        if self.job.spec.kind is JobKind.ESTIMATE:
            ends = None
            if self.shots is not None:
                with contextlib.suppress(MissingExtraError):  # a picture does without
                    ends = self.interval()
            return values_html(title, self.values, self.stderr, ends)
        return counts_html(title, self.counts, self.shots)


def _array(outcome: Outcome | None, field: str) -> Any:
    found = _estimated(outcome)
    data: NDArray[np.float64] = np.array(getattr(found, field), dtype=np.float64).reshape(found.shape)
    return float(data) if found.shape == () else data


def _estimated(outcome: Outcome | None) -> Estimated:
    if not isinstance(outcome, Estimated):
        raise AntiphonError(
            "This job sampled counts; it has no expectation values.",
            code="result-kind",
            next_step="Use result.counts, or run target.estimate(circuit, observable).",
        )
    return outcome


def _intervals(sampled: Sampled, level: float, method: str | None) -> Any:
    from antiphon.client import intervals

    flat = intervals.of_sampled(sampled, level, method)
    return flat[0] if sampled.shape == () else flat


def _sampled(outcome: Outcome | None) -> Sampled:
    if not isinstance(outcome, Sampled):
        raise AntiphonError(
            "This job estimated expectation values; it has no counts.",
            code="result-kind",
            next_step="Use result.values and result.stderr, or run target.submit(circuit).",
        )
    return outcome


def _told(outcome: Outcome | None, what: str) -> Any:
    return None if outcome is None or outcome.details is None else outcome.details.get(what)


def _raw(outcome: Outcome) -> Outcome:
    told = _told(outcome, "mitigation")
    if told is None:
        return outcome
    if isinstance(outcome, Sampled):
        return replace(outcome, details=None)
    raw = told["raw"]
    noise = ShotNoise.from_json(raw["noise"]) if "noise" in raw else None
    return replace(outcome, values=tuple(raw["values"]), stderr=tuple(raw["stderr"]), details=None, noise=noise)


def _mitigated(sampled: Sampled) -> Any:
    flat = [dict(each) for each in (_told(sampled, "mitigation") or {}).get("probabilities", ())]
    return flat[0] if sampled.shape == () else flat


def _exact(sampled: Sampled) -> Any:
    if sampled.probabilities is None:
        return None
    flat = [dict(each) for each in sampled.probabilities]
    return flat[0] if sampled.shape == () else flat


def _frequencies(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {key: count / total for key, count in counts.items()}
