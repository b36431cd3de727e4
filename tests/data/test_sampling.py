"""Which sample is which: a function of seed and number, shared out without gap or overlap."""

from itertools import islice

import numpy as np
import pytest

from temporal_gan.data.sampling import StepSampler, batch_indices, epoch_order, sample_at, window_start


@pytest.mark.parametrize("clips", [1, 2, 20, 37])
@pytest.mark.parametrize("epoch", [0, 1, 49])
@pytest.mark.parametrize("seed", [0, 5, 2**31])
def test_epoch_order_is_a_permutation_that_depends_on_seed_and_epoch(
    seed: int, epoch: int, clips: int
) -> None:
    order = epoch_order(seed, epoch, clips)
    assert sorted(order.tolist()) == list(range(clips))
    assert (epoch_order(seed, epoch, clips) == order).all()
    if clips >= 20:  # two of 20! orders alike would be a fault, not chance
        assert (epoch_order(seed, epoch + 1, clips) != order).any()
        assert (epoch_order(seed + 1, epoch, clips) != order).any()


@pytest.mark.parametrize("extra", [0, 1, 7])
def test_windows_reach_every_start_evenly(extra: int) -> None:
    window, draws = 5, 4000
    starts = [window_start(3, i, window + extra, window) for i in range(draws)]
    counts = np.bincount(starts)
    assert len(counts) == extra + 1
    expected = draws / (extra + 1)
    assert np.abs(counts - expected).max() <= 5 * np.sqrt(expected)  # five sigma


def test_window_longer_than_the_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="a window of 6 frames does not fit a clip of 5"):
        window_start(0, 0, 5, 6)


def test_every_epoch_shows_every_clip_once() -> None:
    lengths = np.array([8, 5, 9, 6, 30])
    samples = [sample_at(1, i, lengths, 5) for i in range(50)]
    for epoch in range(10):
        part = samples[5 * epoch : 5 * epoch + 5]
        assert {s.epoch for s in part} == {epoch}
        assert sorted(s.clip for s in part) == [0, 1, 2, 3, 4]
    assert all(0 <= s.start <= lengths[s.clip] - 5 for s in samples)
    assert len({s.start for s in samples if s.clip == 4}) > 5


@pytest.mark.parametrize("world", [1, 2, 3, 6])
def test_ranks_are_disjoint_and_cover_the_stream(world: int) -> None:
    seen: list[int] = []
    for step in range(5):
        for rank in range(world):
            seen += batch_indices(step, 6, rank, world)
    assert seen == list(range(30))


@pytest.mark.parametrize(("batch", "rank", "world"), [(6, 0, 4), (6, 2, 2), (0, 0, 1), (6, -1, 2)])
def test_impossible_shares_are_refused(batch: int, rank: int, world: int) -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        batch_indices(0, batch, rank, world)
    with pytest.raises(ValueError, match="cannot be split"):
        StepSampler(0, batch, rank, world)


def test_sampler_resumes_at_any_step() -> None:
    whole = list(islice(StepSampler(0, 4, 1, 2), 10))
    assert whole[0] == [2, 3]
    for step in (1, 7):
        assert list(islice(StepSampler(step, 4, 1, 2), 3)) == whole[step : step + 3]
