"""Shots that show the same thing, found by what they look like at a few moments.

A frame's hash is the signs of the lowest 16 x 16 coefficients of the cosine transform of its 32 x 32 grey picture (the
idea of pHash, Zauner 2010, with signs about zero instead of about the median: mirroring a picture then turns over just
the odd columns). A shot's fingerprint is its length and the hashes at evenly spaced moments.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from pydantic import Field

from temporal_gan.config import Section

_SMALL, _KEPT = 32, 16
_BITS = _KEPT * _KEPT
_WORDS = _BITS // 64
_FLAT = 2.0
"""Grey levels; where the deviation is less, the signs are those of noise."""
_SAME_SOURCE = 0.25
_BLOCK = 512


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


def find_duplicates(
    shots: Sequence[tuple[str, str, str]], config: DedupeConfig = DedupeConfig()
) -> dict[str, str]:
    """Which shots repeat which.

    Of each group the first is kept, in the order of source names and then ids, whatever the order of ``shots``. Shots
    whose lengths differ by more than 5 % and 0.1 s are different.

    Args:
        shots: clip id, source name, fingerprint of each; ids are unique.
        config: how alike.
    Returns:
        id of each duplicate -> id of the kept shot that it repeats.
    """
    ordered = sorted(shots, key=lambda shot: (shot[1], shot[0]))
    if not ordered:
        return {}
    # Black shots and loops repeat to the bit; compared one by one, n of them would make n * n pairs.
    first: dict[str, str] = {}
    repeats = {name: first[print_] for name, _, print_ in ordered if first.setdefault(print_, name) != name}
    ordered = [shot for shot in ordered if shot[0] not in repeats]
    prints = [print_.split(":") for _, _, print_ in ordered]
    lengths = np.array([float(seconds) for seconds, _ in prints])
    words = np.frombuffer(bytes.fromhex("".join(bits for _, bits in prints)), np.uint64)
    words = words.reshape(len(ordered), -1, _WORDS)
    sources = np.unique([source for _, source, _ in ordered], return_inverse=True)[1]
    alike = sorted((later, earlier) for earlier, later in _pairs(words, lengths, sources, config.threshold))
    for later, earlier in alike:
        if ordered[later][0] not in repeats and ordered[earlier][0] not in repeats:
            repeats[ordered[later][0]] = ordered[earlier][0]
    return {name: repeats.get(kept, kept) for name, kept in repeats.items()}


def _pairs(
    words: np.ndarray, lengths: np.ndarray, sources: np.ndarray, threshold: float
) -> Iterator[tuple[int, int]]:
    """Every pair (earlier, later) that is alike, straight or mirrored."""
    by_length = np.argsort(lengths, kind="stable")
    words, lengths, sources = words[by_length], lengths[by_length], sources[by_length]
    mask = np.zeros((_KEPT, _KEPT), bool)
    mask[:, 1::2] = True
    mirror = np.frombuffer(np.packbits(mask).tobytes(), np.uint64)
    middle = words[:, words.shape[1] // 2]
    most = round(2 * threshold * _BITS)
    for begin in range(0, len(words), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        longest = lengths[rows][-1]
        reach = int(np.searchsorted(lengths, max(longest * 1.05, longest + 0.1), side="right"))
        for flip in (np.zeros_like(mirror), mirror):
            distance = np.zeros((len(middle[rows]), reach - begin), np.uint16)
            for word in range(_WORDS):
                distance += np.bitwise_count(
                    (middle[rows, word] ^ flip[word])[:, None] ^ middle[None, begin:reach, word]
                )
            here, there = np.nonzero(distance <= most)
            a, b = here + begin, there + begin
            a, b = a[a < b], b[a < b]
            each = np.bitwise_count(words[a] ^ words[b] ^ flip).sum(-1, dtype=np.int64)
            allowed = np.where(sources[a] == sources[b], _SAME_SOURCE * threshold, threshold)
            gap = lengths[b] - lengths[a]
            alike = (each.mean(-1) <= allowed * _BITS) & (each.max(-1) <= 2 * allowed * _BITS)
            alike &= gap <= np.maximum(0.05 * lengths[a], 0.1)
            for i, j in zip(by_length[a[alike]].tolist(), by_length[b[alike]].tolist(), strict=True):
                yield min(i, j), max(i, j)
