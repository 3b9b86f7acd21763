import numpy as np
import pytest

from antiphon.adapters.targets.mitigation.readout import (
    AsRead,
    Local,
    Shown,
    Twirled,
    local_reader,
    preparations,
    prepared,
)
from antiphon.domain.circuits import Gate
from antiphon.errors import ExecutionError

P01, P10 = np.array([0.02, 0.1]), np.array([0.05, 0.2])


def misread(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (truth ^ (rng.random(truth.shape) < np.where(truth, P10, P01))).astype(np.uint8)


def shown(truth: tuple[bool, ...], shots: int, rng: np.random.Generator) -> Shown:
    read = misread(np.tile(np.array(truth, dtype=np.uint8), (shots, 1)), rng)
    bits, times = np.unique(read, axis=0, return_counts=True)
    return Shown(bits.astype(np.uint8), times.astype(np.float64), truth)


def test_confusion_matrices_are_found_from_all_0_and_all_1() -> None:
    rng = np.random.default_rng(1)
    reader = local_reader([shown(truth, 40_000, rng) for truth in preparations(2, None)])
    np.testing.assert_allclose(reader.p01, P01, atol=0.006)
    np.testing.assert_allclose(reader.p10, P10, atol=0.01)


@pytest.mark.parametrize("flips", [(False, False), (True, False), (True, True)])
def test_the_mean_of_a_corrected_bit_is_what_it_had_been(flips: tuple[bool, bool]) -> None:
    rng = np.random.default_rng(2)
    truth = np.array([[0, 1]] * 30_000 + [[0, 0]] * 10_000, dtype=np.uint8)
    read = misread(truth ^ np.array(flips, dtype=np.uint8), rng)
    columns = Local(P01, P10).columns(read, flips)
    np.testing.assert_allclose(columns.mean(axis=0), [1.0, -0.5], atol=0.015)
    assert columns.prod(axis=1).mean() == pytest.approx(-0.5, abs=0.02)
    raw = AsRead().columns(read, flips)
    assert abs(raw[:, 1].mean() + 0.5) > 0.05


def test_a_twirled_readout_is_divided_by_what_it_keeps() -> None:
    rng = np.random.default_rng(3)
    masks = [(False, True), (True, False), (False, False), (True, True)]
    reader = Twirled([shown(mask, 20_000, rng) for mask in masks])
    kept = 1 - P01 - P10
    assert reader.factor_of is not None
    assert reader.factor_of((0,)) == pytest.approx(kept[0], abs=0.01)
    assert reader.factor_of((0, 1)) == pytest.approx(kept.prod(), abs=0.01)


def test_a_readout_that_says_nothing_is_refused() -> None:
    with pytest.raises(ExecutionError, match="cannot be undone"):
        Local(np.array([0.5]), np.array([0.5]))


def test_what_is_prepared() -> None:
    assert preparations(2, None) == ((False, False), (True, True))
    assert preparations(2, [(True, False), (True, False)]) == ((True, False),)
    assert prepared((5, 3), (True, False)) == (Gate("x", (5,)),)
