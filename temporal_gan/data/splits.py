"""Which split a source belongs to: by source, never by clip, so that no two splits share one."""

from collections.abc import Sequence

from ..rng import mix_seed


def split_sources(
    sources: Sequence[str], seed: int, val_fraction: float = 0.1, test_fraction: float = 0.1
) -> dict[str, str]:
    """Assign each distinct source to train, val or test.

    Sources are ranked by a hash of (seed, source); fractions are rounded, test before val, and at least one source is
    always left for train. From three sources on, neither test nor val is empty if its fraction is above 0.

    Returns:
        source -> split, for every distinct source.
    """
    ranked = sorted(set(sources), key=lambda source: mix_seed(seed, "split", source))
    room = len(ranked) - 1
    least = 1 if len(ranked) >= 3 else 0
    test = min(max(round(test_fraction * len(ranked)), least if test_fraction else 0), room)
    val = min(max(round(val_fraction * len(ranked)), least if val_fraction else 0), room - test)
    names = ["test"] * test + ["val"] * val
    return {source: names[i] if i < len(names) else "train" for i, source in enumerate(ranked)}
