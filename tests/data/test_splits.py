"""Splits: by source, so that no two splits share one, and train is never left empty."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_gan.data.splits import split_sources


def sources(count: int) -> list[str]:
    return [f"film_{i}.mkv" for i in range(count)]


@settings(max_examples=50, derandomize=True, deadline=None)
@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 5),
    val=st.floats(0, 1),
    test=st.floats(0, 1),
)
def test_every_source_has_one_split_and_train_has_at_least_one(
    count: int, seed: int, val: float, test: float
) -> None:
    found = split_sources(sources(count), seed, val, test)
    assert set(found) == set(sources(count))
    assert set(found.values()) <= {"train", "val", "test"}
    assert "train" in found.values()


@pytest.mark.parametrize(
    ("count", "train", "val", "test"),
    [(1, 1, 0, 0), (2, 2, 0, 0), (3, 1, 1, 1), (10, 8, 1, 1), (50, 40, 5, 5)],
)
def test_fractions_of_a_tenth(count: int, train: int, val: int, test: int) -> None:
    counts = Counter(split_sources(sources(count), 0).values())
    assert (counts["train"], counts["val"], counts["test"]) == (train, val, test)


def test_a_fraction_of_zero_is_an_empty_split() -> None:
    counts = Counter(split_sources(sources(20), 0, val_fraction=0, test_fraction=0.25).values())
    assert counts == {"train": 15, "test": 5}


def test_many_clips_of_one_source_count_once_and_order_does_not_matter() -> None:
    names = sources(20)
    assert (
        split_sources([*names, *names[:7]] * 3, 4) == split_sources(names[::-1], 4) == split_sources(names, 4)
    )


def test_the_seed_decides() -> None:
    names = sources(40)
    assert split_sources(names, 0) != split_sources(names, 1)


def test_no_source_is_favoured() -> None:
    """Over many seeds each source is tested as often as any other."""
    times = Counter(
        s for seed in range(400) for s, split in split_sources(sources(10), seed).items() if split == "test"
    )
    # 400 draws of 1 in 10: 40 expected, five standard deviations are 30.
    assert all(10 < times[s] < 70 for s in sources(10))


def test_nothing_to_split_is_nothing() -> None:
    assert split_sources([], 0) == {}
