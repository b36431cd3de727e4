"""Shots that show the same thing, found by what they look like at a few moments.

A frame's hash is the signs of the lowest 16 x 16 coefficients of the cosine transform of its 32 x 32 grey picture (the
idea of pHash, Zauner 2010, with signs about zero instead of about the median: mirroring a picture then turns over just
the odd columns). A shot's fingerprint is its length and the hashes at evenly spaced moments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from pydantic import Field

from temporal_gan.config import Section

_SMALL, _KEPT = 32, 16
_BITS = _KEPT * _KEPT
_WORDS = _BITS // 64
_ODD = np.frombuffer(np.packbits(np.tile([0, 1], _BITS // 2)).tobytes(), np.uint64)
"""The bits that mirroring turns over, those of odd columns."""
_FLAT = 2.0
"""Grey levels; where the deviation is less, the signs are those of noise."""
_SAME_SOURCE = 0.25
_ROWS, _COLUMNS = 32, 8192
"""Pairs that are compared at once: what is worked out of them stays in the processor's cache."""


class DedupeConfig(Section):
    """When two shots are the same.

    Attributes:
        moments: at which a shot is looked at, evenly spaced; eight see where a motion of a few seconds differs.
        threshold: share of fingerprint bits that may differ, 0 = none, 0.5 = as in unrelated pictures; no single
            moment may differ by more than twice as much. Measured on 14 puppet shots of 48 frames: the same shot at
            crf 35, as VP9 40, half the size, 15 % brighter, mirrored, two frames trimmed, or at half the frame rate
            differs by up to 0.076; cropped by 1.5 % or under a large watermark by 0.03 to 0.11, not always found.
            Another expression in the same scene, motion and timing differs by 0.093 and more. Within one source a
            quarter of it holds: drawings that differ by a mouth are worth keeping there, and are in one split anyway.
    """

    moments: int = Field(default=8, ge=1, le=32)
    threshold: float = Field(default=0.08, ge=0, le=0.25)


def frame_hash(grey: np.ndarray) -> bytes:
    """uint8 [S, S], S >= 32 -> 32 bytes."""
    if grey.std() < _FLAT:
        return bytes(_BITS // 8)
    small = cv2.resize(grey, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.packbits(cv2.dct(small)[:_KEPT, :_KEPT] > 0).tobytes()


def hash_distance(a: bytes, b: bytes) -> float:
    """Share of bits in which two hashes differ."""
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count() / _BITS


def shot_fingerprint(seconds: float, hashes: Sequence[bytes]) -> str:
    """A shot's length and its hashes at the moments -> text."""
    return f"{seconds:.3f}:{b''.join(hashes).hex()}"


@dataclass(frozen=True)
class Duplicates:
    """What repeats what.

    Attributes:
        copies: id of each duplicate -> id of the kept shot that it repeats.
        alike: pairs of names of sources that share a shot: every pair, or with others joins the same sources. A copy
            that a person keeps may be like another that is like nothing else.
    """

    copies: dict[str, str]
    alike: list[tuple[str, str]]


def find_duplicates(
    shots: Sequence[tuple[str, str, str]], config: DedupeConfig = DedupeConfig()
) -> Duplicates:
    """Which shots repeat which.

    Of each group the first is kept, in the order of source names and then ids, whatever the order of ``shots``. Shots
    whose lengths differ by more than 5 % and 0.1 s are different.

    Args:
        shots: clip id, source name, fingerprint of each; ids are unique.
        config: how alike.
    """
    ordered = sorted(shots, key=lambda shot: (shot[1], shot[0]))
    if not ordered:
        return Duplicates({}, [])
    # Black shots and loops repeat to the bit; compared one by one, n of them would make n * n pairs.
    first: dict[str, str] = {}
    repeats = {name: first[print_] for name, _, print_ in ordered if first.setdefault(print_, name) != name}
    source_of = {name: source for name, source, _ in ordered}
    alike = {(source_of[kept], source_of[name]) for name, kept in repeats.items()}
    ordered = [shot for shot in ordered if shot[0] not in repeats]
    prints = [print_.split(":") for _, _, print_ in ordered]
    lengths = np.array([float(seconds) for seconds, _ in prints])
    words = np.frombuffer(bytes.fromhex("".join(bits for _, bits in prints)), np.uint64)
    words = words.reshape(len(ordered), -1, _WORDS)
    names, sources = np.unique([source for _, source, _ in ordered], return_inverse=True)
    later, earlier = _pairs(words, lengths, sources, config.threshold)
    again = np.zeros(len(ordered), bool)
    for i, j in zip(later.tolist(), earlier.tolist(), strict=True):
        if not (again[i] or again[j]):
            again[i] = True
            repeats[ordered[i][0]] = ordered[j][0]
    joined = np.unique(sources[earlier] * len(names) + sources[later])
    alike |= {(str(names[pair // len(names)]), str(names[pair % len(names)])) for pair in joined.tolist()}
    return Duplicates(
        {name: repeats.get(kept, kept) for name, kept in repeats.items()},
        sorted((a, b) for a, b in alike if a != b),
    )


def _pairs(
    words: np.ndarray, lengths: np.ndarray, sources: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Every pair that is alike, straight or mirrored: int64 [P] of the later and of the earlier one, in order."""
    by_length = np.argsort(lengths, kind="stable")
    words, lengths, sources = words[by_length], lengths[by_length], sources[by_length]
    pairs = [np.zeros((0, 2), np.int64)]
    for a, b in _candidates(words[:, words.shape[1] // 2], lengths, round(2 * threshold * _BITS)):
        allowed = np.where(sources[a] == sources[b], _SAME_SOURCE * threshold, threshold)
        gap = lengths[b] - lengths[a]
        alike = np.zeros(len(a), bool)
        for flip in (np.zeros_like(_ODD), _ODD):
            each = np.bitwise_count(words[a] ^ words[b] ^ flip).sum(-1, dtype=np.int64)
            alike |= (each.mean(-1) <= allowed * _BITS) & (each.max(-1) <= 2 * allowed * _BITS)
        alike &= gap <= np.maximum(0.05 * lengths[a], 0.1)
        pairs.append(np.sort(np.stack([by_length[a[alike]], by_length[b[alike]]], axis=1), axis=1))
    earlier, later = np.concatenate(pairs).T
    order = np.lexsort((earlier, later))
    return later[order], earlier[order]


def _candidates(
    middle: np.ndarray, lengths: np.ndarray, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs a < b of about the same length whose middle hashes, uint64 [N, 4], are near to each other, straight or
    mirrored.

    Mirroring turns over all bits of the odd columns and none of the even ones, so both distances follow from the bits
    that differ in each half.
    """
    halves = [_packed(middle), _packed(middle << np.uint64(1))]
    for begin in range(0, len(middle), _ROWS):
        end = min(begin + _ROWS, len(middle))
        longest = lengths[end - 1]
        reach = int(np.searchsorted(lengths, max(longest * 1.05, longest + 0.1), side="right"))
        for first in range(begin, reach, _COLUMNS):
            columns = slice(first, min(first + _COLUMNS, reach))
            even, odd = (
                sum(np.bitwise_count(word[begin:end, None] ^ word[None, columns]) for word in half)
                for half in halves
            )
            near = even + np.minimum(odd, _BITS // 2 - odd) <= most
            here, there = np.divmod(np.flatnonzero(near), near.shape[1])
            a, b = here + begin, there + first
            yield a[a < b], b[a < b]


def _packed(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The even columns of hashes, in half as many words: uint64 [N, 4] -> twice uint64 [N]."""
    even = words & ~_ODD
    return even[:, 0] | even[:, 1] >> np.uint64(1), even[:, 2] | even[:, 3] >> np.uint64(1)
