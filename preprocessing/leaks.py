"""Do two splits share what they must not: a source, a file, a video, a character, or pictures that look alike?"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from temporal_gan.alpha import over_white
from temporal_gan.data.manifest import ClipRow
from temporal_gan.data.store import Store
from temporal_gan.rng import numpy_generator

NEW_CHARACTERS = ("test_character", "test_combination")
"""Splits that promise characters which no other split shows."""

MOMENTS = 6
"""Frames of a clip that are compared, evenly spaced."""

_SIDE = 32
ALIKE = 0.985
"""Correlation of two small grey pictures from which they count as alike. On puppet clips: the same frame as JPEG at
three quarters of the size stays above 0.997, different clips of one character reach 0.94."""


@dataclass(frozen=True)
class Leak:
    """Something two splits share.

    Attributes:
        kind: ``source``, ``file`` (same bytes), ``video`` (same frames), ``character`` or ``look`` (look alike).
        name: of what is shared; of a look, how alike, such as ``0.991``.
        clips: one clip of each of the two splits.
        splits: theirs.
    """

    kind: str
    name: str
    clips: tuple[str, str]
    splits: tuple[str, str]


@dataclass(frozen=True)
class LookAlikes:
    """Pairs of clips of different splits that look alike.

    Attributes:
        leaks: the pairs, most alike first.
        held_out, train: clips that were compared.
        of: clips in the store.
    """

    leaks: list[Leak]
    held_out: int
    train: int
    of: int


def find_leaks(rows: Iterable[ClipRow]) -> list[Leak]:
    """What the tables alone tell: one leak for each shared thing and pair of splits, in the order they are met.

    A character may be in several splits, unless one of them is in ``NEW_CHARACTERS``.
    """
    first: dict[tuple[str, str], dict[str, str]] = {}
    leaks = []
    for row in rows:
        things = (
            ("source", row.source),
            ("file", row.sha256),
            ("video", row.video_sha256),
            ("character", row.character),
        )
        for kind, name in things:
            if not name:
                continue
            seen = first.setdefault((kind, name), {})
            if row.split in seen:
                continue
            for split, clip in seen.items():
                if kind != "character" or (split in NEW_CHARACTERS) != (row.split in NEW_CHARACTERS):
                    leaks.append(Leak(kind, name, (clip, row.id), (split, row.split)))
            seen[row.split] = row.id
    return leaks


def find_look_alikes(store: Store, most: int = 160, seed: int = 0) -> LookAlikes:
    """Decode clips and compare those of ``train`` with those of every other split, at MOMENTS frames each.

    Two clips look alike where each has, for at least half of its moments, one of the other that correlates by
    ALIKE or more. That finds the same clip cut, scaled or compressed differently; it does not find a mirrored one.

    Args:
        store: any.
        most: clips decoded; of a larger store a sample, half of it held out where there are as many.
        seed: of the sample.
    Raises:
        StoreError: a video is missing or damaged.
    """
    splits = store.clips.column("split")
    generator = numpy_generator(seed, "look-alikes")
    held = _sample(np.flatnonzero(splits != "train"), most // 2, generator)
    train = _sample(np.flatnonzero(splits == "train"), most - len(held), generator)
    if not len(held) or not len(train):
        return LookAlikes([], 0, 0, len(store.clips))
    looks = {int(i): clip_look(store.frames(store.clips[int(i)].id)) for i in sorted([*held, *train])}
    kept = np.stack([looks[int(i)] for i in train])
    found = []
    for i in held:
        # [train clips, their moments, this clip's moments]
        alike = np.einsum("nmp,kp->nmk", kept, looks[int(i)])
        score = np.minimum(np.median(alike.max(axis=1), axis=1), np.median(alike.max(axis=2), axis=1))
        for n in np.flatnonzero(score >= ALIKE):
            rows = store.clips[int(i)], store.clips[int(train[n])]
            ids, names = (rows[0].id, rows[1].id), (rows[0].split, rows[1].split)
            found.append((float(score[n]), Leak("look", f"{score[n]:.3f}", ids, names)))
    found.sort(key=lambda pair: (-pair[0], pair[1].clips))
    return LookAlikes([leak for _, leak in found], len(held), len(train), len(store.clips))


def clip_look(frames_u8: np.ndarray) -> np.ndarray:
    """uint8 [T, H, W, C] -> float32 [MOMENTS, 1024], small grey pictures of mean 0 and length 1 (0 where plain)."""
    picks = np.linspace(0, len(frames_u8) - 1, MOMENTS).round().astype(int)
    small = [
        cv2.resize(over_white(frames_u8[i]), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for i in picks
    ]
    grey = np.stack([cv2.cvtColor(s, cv2.COLOR_RGB2GRAY) for s in small]).reshape(MOMENTS, -1)
    looks = grey.astype(np.float32) - grey.mean(axis=1, keepdims=True, dtype=np.float32)
    lengths = np.linalg.norm(looks, axis=1, keepdims=True)
    return looks / np.maximum(lengths, 1.0)


def _sample(places: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    if len(places) <= most:
        return places
    return np.sort(generator.choice(places, most, replace=False))
