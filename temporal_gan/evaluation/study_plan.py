"""What one rater sees: which trials of a study, in which order, and what stands on which side.

A function of the page and of the name the rater types, so that a page without a server can serve any number of
raters and ``study analyse`` can check each answer against what was shown. ``study.js`` computes the same in the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_WORD = 0xFFFFFFFF


@dataclass(frozen=True)
class Showing:
    """One step of a rater's session: the trial's number, and whether its two clips change sides."""

    trial: int
    swapped: bool


def rater_seed(page: str, rater: str) -> int:
    """32-bit seed of a rater on a page: FNV-1a of ``page/rater`` in UTF-8."""
    seed = 0x811C9DC5
    for byte in f"{page}/{rater}".encode():
        seed = (seed ^ byte) * 0x01000193 & _WORD
    return seed


def rater_plan(seed: int, clips: Sequence[int], checks: int, shown: int) -> list[Showing]:
    """The session of a rater.

    Args:
        seed: from :func:`rater_seed`.
        clips: the clip of each trial of the study; the last ``checks`` are attention checks, which everybody sees.
        checks: how many.
        shown: how many other trials a rater sees: a run of neighbours from a random start, going round. The study
            lists its trials so that any such run holds every comparison equally often.
    Returns:
        Trials in random order, two of one clip next to each other only where it cannot be helped; half of them (to
        within one) swapped.
    """
    random = _Mulberry32(seed)
    ordinary = len(clips) - checks
    start = random.below(ordinary)
    order = [(start + i) % ordinary for i in range(min(shown, ordinary))]
    order += range(ordinary, len(clips))
    random.shuffle(order)
    for i in range(1, len(order)):
        if clips[order[i]] == clips[order[i - 1]]:
            for j in range(i + 1, len(order)):
                if clips[order[j]] != clips[order[i - 1]]:
                    order[i], order[j] = order[j], order[i]
                    break
    odd = random.below(2)
    sides = [(i + odd) % 2 for i in range(len(order))]
    random.shuffle(sides)
    return [Showing(trial, side == 1) for trial, side in zip(order, sides, strict=True)]


class _Mulberry32:
    """Tommy Ettinger's 32-bit generator: the few lines that Python and JavaScript can both say exactly."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def below(self, limit: int) -> int:
        self._state = (self._state + 0x6D2B79F5) & _WORD
        mixed = self._state
        mixed = (mixed ^ mixed >> 15) * (mixed | 1) & _WORD
        mixed ^= mixed + ((mixed ^ mixed >> 7) * (mixed | 61) & _WORD) & _WORD
        return (mixed ^ mixed >> 14) * limit >> 32

    def shuffle(self, items: list[int]) -> None:
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
