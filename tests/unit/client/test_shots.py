from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from antiphon.client.shots import distinct_bits, shot_order


def test_columns_are_bits_and_the_last_register_stands_leftmost() -> None:
    bits = distinct_bits(["0 011", "1 100"], [("a", 3), ("b", 1)])
    assert bits["a"].tolist() == [[1, 1, 0], [0, 0, 1]]
    assert bits["b"].tolist() == [[0], [1]]


@given(st.lists(st.integers(0, 2**9 - 1), unique=True, min_size=1), st.integers(0, 9), st.integers(0, 9))
def test_bits_of_any_split_into_registers(words: list[int], first: int, second: int) -> None:
    sizes = sorted((first, second))
    registers = [("x", sizes[0]), ("y", sizes[1] - sizes[0]), ("z", 9 - sizes[1])]
    texts = []
    for word in words:
        text = format(word, "09b")
        parts = [text[9 - sizes[0] :], text[9 - sizes[1] : 9 - sizes[0]], text[: 9 - sizes[1]]]
        texts.append(" ".join(reversed(parts)))
    bits = distinct_bits(texts, registers)
    joined = np.concatenate([bits["x"], bits["y"], bits["z"]], axis=1)
    assert (joined @ (1 << np.arange(9))).tolist() == words


def test_shots_keep_the_counts_in_a_seeded_order() -> None:
    order = shot_order([3, 0, 997], seed=(5, 1))
    assert np.bincount(order, minlength=3).tolist() == [3, 0, 997]
    assert np.array_equal(order, shot_order([3, 0, 997], seed=(5, 1)))
    assert not np.array_equal(order, shot_order([3, 0, 997], seed=(5, 2)))
    assert order.tolist() != sorted(order.tolist())
