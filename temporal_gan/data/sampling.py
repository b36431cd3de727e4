"""Which clip and window each training sample is, as pure functions of the seed and the sample's number.

No state is kept anywhere: a run resumes at any step, and one process or many draw the same samples.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np

from ..rng import mix_seed, numpy_generator


class Sample(NamedTuple):
    """One training sample: the clip's position in the split, in which pass over it, and its first frame."""

    epoch: int
    clip: int
    start: int


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, clips: int) -> np.ndarray:
    """A permutation of ``clips`` clips, int64 [clips], read-only: order = f(seed, epoch).

    >>> sorted(epoch_order(0, 3, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    order = numpy_generator(seed, "order", epoch).permutation(clips)
    order.setflags(write=False)
    return order


def window_start(seed: int, index: int, clip_frames: int, window: int) -> int:
    """First frame of sample ``index``'s window, evenly drawn from 0 .. clip_frames - window.

    Raises:
        ValueError: the window is longer than the clip.
    """
    if not 1 <= window <= clip_frames:
        raise ValueError(f"a window of {window} frames does not fit a clip of {clip_frames}")
    # 63 bits over at most a few thousand starts: the remainder's bias is below 1e-15.
    return mix_seed(seed, "window", index) % (clip_frames - window + 1)


def sample_at(seed: int, index: int, clip_frames: np.ndarray, window: int) -> Sample:
    """The sample of this number in the endless stream over clips.

    Args:
        seed: of the data order.
        index: 0, 1, 2 ...
        clip_frames: int [N], lengths of the split's clips, each at least ``window``.
        window: frames per sample.
    """
    epoch, place = divmod(index, len(clip_frames))
    clip = int(epoch_order(seed, epoch, len(clip_frames))[place])
    return Sample(epoch, clip, window_start(seed, index, int(clip_frames[clip]), window))


def batch_indices(step: int, global_batch: int, rank: int, world: int) -> range:
    """Sample numbers of one rank at one step; over the ranks they make up the step's global batch in order.

    Raises:
        ValueError: the global batch cannot be split evenly, or the rank is outside the world.
    """
    if global_batch < 1 or global_batch % world or not 0 <= rank < world:
        raise ValueError(
            f"a batch of {global_batch} clips cannot be split over {world} processes (rank {rank})"
        )
    share = global_batch // world
    first = step * global_batch + rank * share
    return range(first, first + share)


class StepSampler:
    """A DataLoader's ``batch_sampler``: :func:`batch_indices` from ``start_step`` on, for ever.

    Raises:
        ValueError: as :func:`batch_indices`.
    """

    def __init__(self, start_step: int, global_batch: int, rank: int, world: int) -> None:
        batch_indices(start_step, global_batch, rank, world)
        self._arguments = (global_batch, rank, world)
        self._start_step = start_step

    def __iter__(self) -> Iterator[list[int]]:
        for step in count(self._start_step):
            yield list(batch_indices(step, *self._arguments))
