"""Splits by source; what shares pictures stays together."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.clip import Source
from preprocessing.split import SplitConfig, assign_splits


def _sources(count, characters=("a",)):
    return [
        Source(Path(f"{i}.mp4"), f"{i:03d}.mp4", "0" * 64, characters[i % len(characters)])
        for i in range(count)
    ]


def test_every_source_has_a_split_and_the_fractions_hold():
    splits = assign_splits(_sources(40), [], SplitConfig())
    counts = {name: list(splits.values()).count(name) for name in ("train", "val", "test")}
    assert counts == {"train": 32, "val": 4, "test": 4}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=25), st.integers(0, 5))
def test_sources_that_share_pictures_share_a_split(pairs, seed):
    alike = [(f"{a:03d}.mp4", f"{b:03d}.mp4") for a, b in pairs]
    splits = assign_splits(_sources(20), alike, SplitConfig(seed=seed))
    assert all(splits[a] == splits[b] for a, b in alike)


def test_the_order_of_pairs_does_not_matter():
    pairs = [("001.mp4", "002.mp4"), ("002.mp4", "007.mp4"), ("009.mp4", "007.mp4")]
    config = SplitConfig(seed=3)
    assert assign_splits(_sources(12), pairs, config) == assign_splits(_sources(12), pairs[::-1], config)


def test_a_held_out_character_takes_what_it_shares_pictures_with():
    splits = assign_splits(
        _sources(12, ("ann", "bea", "cho")), [("001.mp4", "003.mp4")], SplitConfig(test_characters=("bea",))
    )
    strangers = {name for name, split in splits.items() if split == "test_character"}
    assert strangers == {"001.mp4", "004.mp4", "007.mp4", "010.mp4", "003.mp4"}


def test_the_fractions_are_of_the_sources_that_are_left():
    splits = assign_splits(_sources(40, ("ann", "bea")), [], SplitConfig(test_characters=("bea",)))
    counts = {name: list(splits.values()).count(name) for name in ("train", "val", "test", "test_character")}
    assert counts == {"train": 16, "val": 2, "test": 2, "test_character": 20}
