"""Reference frames: other pictures of the same character, chosen to suit a pose sequence."""

from collections.abc import Mapping

import numpy as np

from ..errors import StoreError
from ..rng import numpy_generator
from .cache import ClipCache
from .store import Store

POOL = 32
"""Frames a few are chosen from; also how many of a character an exported animator carries."""


def choose_references(
    keypoints: np.ndarray,
    confidence: np.ndarray,
    pool_keypoints: np.ndarray,
    pool_confidence: np.ndarray,
    count: int,
) -> list[int]:
    """Pick the frames that together lie nearest to a pose sequence; one choice for the whole clip, so nothing pops.

    Greedily, each next frame is the one that most lowers the mean over time of the distance to the nearest chosen.

    Args:
        keypoints, confidence: [T, J, 2] in [0, 1], [T, J].
        pool_keypoints, pool_confidence: [P, J, 2], [P, J].
        count: R.
    Returns:
        up to R indices into the pool, the most useful first.
    """
    shared = (confidence[:, None] > 0) & (pool_confidence[None] > 0)
    squared = ((keypoints[:, None] - pool_keypoints[None]) ** 2).sum(-1) * shared
    # A frame that shares no joint is as far as the picture is wide.
    distance = np.where(shared.any(-1), squared.sum(-1) / np.maximum(shared.sum(-1), 1), 1.0)
    chosen: list[int] = []
    best = np.full(len(keypoints), np.inf)
    for _ in range(min(count, len(pool_keypoints))):
        gain = np.minimum(best[:, None], distance).mean(0)
        gain[chosen] = np.inf
        chosen.append(int(gain.argmin()))
        best = np.minimum(best, distance[:, chosen[-1]])
    return chosen


def with_mirrored(frames: Mapping[str, np.ndarray], flip: np.ndarray) -> dict[str, np.ndarray]:
    """Reference frames and after them each one mirrored, left and right joints exchanged.

    For drawings that face one way only; what a character wears on one side changes sides (LOG.md 2026-11-21).

    Args:
        frames: keypoints [P, J, 2] in [0, 1], confidence and layer [P, J], and video [P, C, S, S] where it is there;
            or nothing at all.
        flip: int64 [J], Skeleton.flip_permutation.
    Returns:
        the same arrays, [2 P, ...].
    """
    doubled = {}
    for name, values in frames.items():
        other = values[..., ::-1] if name == "video" else values[:, flip]
        if name == "keypoints":
            other = np.stack([1 - other[..., 0], other[..., 1]], axis=-1)
        doubled[name] = np.ascontiguousarray(np.concatenate([values, other]))
    return doubled


def pool_size(seed: int, sample: int, smallest: int) -> int:
    """How many frames a sample's references are chosen among: ``smallest`` to ``POOL``, uniform in the logarithm."""
    if smallest >= POOL:
        return POOL
    draw = numpy_generator(seed, "pool size", sample).uniform()
    return int(smallest * ((POOL + 1) / smallest) ** draw)


class ReferencePool:
    """The train split's frames by character, and what is drawn from them.

    Args:
        store: the clips.
        cache: of that store.
    """

    def __init__(self, store: Store, cache: ClipCache) -> None:
        self._cache = cache
        positions = np.flatnonzero(store.clips.column("split") == "train")
        self._frames = store.clips.column("frames")
        characters = store.clips.column("character")
        self._clips = {name: positions[characters[positions] == name] for name in store.info.characters}

    def around(
        self, seed: int, sample: int, character: str, clip: int, start: int, window: int
    ) -> list[tuple[int, int]]:
        """Up to ``POOL`` random (clip position, frame) of a character for a training window.

        They come from other clips of the character; where it has no other, from this clip outside the window.
        """
        draw = numpy_generator(seed, "references", sample)
        others = self._clips[character]
        others = others[others != clip]
        if len(others):
            clips = draw.choice(others, POOL)
            return list(dict.fromkeys((int(c), int(draw.integers(self._frames[c]))) for c in clips))
        outside = [f for f in range(int(self._frames[clip])) if not start <= f < start + window]
        return [(clip, int(f)) for f in draw.permutation(outside)[:POOL]]

    def bank(self, character: str) -> dict[str, np.ndarray]:
        """Up to ``POOL`` frames of a character to carry in an animator, drawn as the windows' pools are in training:
        a network that learned how far to trust references meets the same kind afterwards.

        Returns:
            video uint8 [P, C, S, S], keypoints float32 [P, J, 2], confidence float32 [P, J], layer int64 [P, J].
        """
        clips = self._clips[character]
        if not len(clips):
            raise StoreError(f"character {character!r} has no clips in split 'train'")
        draw = numpy_generator(0, "bank", character)
        # Every clip in turn: with few frames to draw, no motion should be left out.
        turns = [clips[i % len(clips)] for i in range(min(8 * POOL, int(self._frames[clips].sum())))]
        order = np.concatenate(
            [draw.permutation(turns[i : i + len(clips)]) for i in range(0, len(turns), len(clips))]
        )
        frames = dict.fromkeys((int(c), int(draw.integers(self._frames[c]))) for c in order)
        return self.read(list(frames)[:POOL], ("video", "keypoints", "confidence", "layer"))

    def read(self, frames: list[tuple[int, int]], names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Arrays [P, ...] of (clip position, frame) pairs."""
        return {n: np.concatenate([self._cache.frames(n, c, f, 1) for c, f in frames]) for n in names}
