"""Which split each source goes to: whole sources, and those that share pictures together."""

from collections.abc import Iterable, Sequence

from pydantic import Field

from temporal_gan.config import Section
from temporal_gan.data.splits import split_sources

from .clip import Source


class SplitConfig(Section):
    """How sources are spread over the splits.

    Attributes:
        seed: of the choice; the same sources and seed give the same splits.
        val_fraction, test_fraction: of the sources. From three sources on, each has at least one.
        test_characters: all of whose sources go to ``test_character``, to be judged as strangers.
    """

    seed: int = 0
    val_fraction: float = Field(default=0.1, ge=0.0, lt=1.0)
    test_fraction: float = Field(default=0.1, ge=0.0, lt=1.0)
    test_characters: tuple[str, ...] = ()


def assign_splits(
    sources: Sequence[Source], alike: Iterable[tuple[str, str]], config: SplitConfig
) -> dict[str, str]:
    """Source name -> split.

    Args:
        sources: of the store's clips.
        alike: pairs of names of sources that share a near-duplicate shot; each pair stays together, and so does what
            pairs join.
        config: see :class:`SplitConfig`. A group with a held-out character is held out as a whole.
    """
    first = {source.name: source.name for source in sources}

    def group(name: str) -> str:
        while first[name] != name:
            name = first[name]
        return name

    for a, b in alike:
        if a in first and b in first:
            low, high = sorted((group(a), group(b)))
            first[high] = low
    strange = {group(source.name) for source in sources if source.character in config.test_characters}
    others = sorted({group(name) for name in first} - strange)
    chosen = split_sources(others, config.seed, config.val_fraction, config.test_fraction)
    return {name: "test_character" if group(name) in strange else chosen[group(name)] for name in first}
