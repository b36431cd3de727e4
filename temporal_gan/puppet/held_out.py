"""Which split a puppet clip belongs to: new clips, new characters, new motions and new pairs are told apart."""

import re
from collections.abc import Sequence

from ..data.splits import split_sources
from ..errors import UserError
from .spec import PuppetSpec


def clip_splits(
    specs: Sequence[PuppetSpec],
    names: Sequence[str],
    seed: int,
    characters: Sequence[str] = (),
    motions: Sequence[str] = (),
) -> list[str]:
    """The split of each clip.

    Clips of held-out characters in other motions are ``test_character``, those of other characters in held-out
    motions ``test_motion``, held-out characters in held-out motions ``test_combination``. The rest is divided at
    random: a tenth each for ``val`` and ``test``, which so show known characters in known motions.

    Args:
        specs: the clips.
        names: their ids, each a source of its own.
        seed: of the random division.
        characters, motions: held out; a motion also where it is blended with others or has parameters.
    Raises:
        UserError: a held-out name appears in no clip, or nothing is left to train on.
    """
    shown = [_motion_names(spec.motion) for spec in specs]
    for what, held, there in (
        ("characters", characters, {spec.character for spec in specs}),
        ("motions", motions, set().union(*shown)),
    ):
        absent = sorted(set(held) - there)
        if absent:
            raise UserError(f"held-out {what} {absent} are in no clip; there are: {', '.join(sorted(there))}")
    new_name = {
        (True, False): "test_character",
        (False, True): "test_motion",
        (True, True): "test_combination",
    }
    new = [
        (spec.character in characters, bool(m & set(motions))) for spec, m in zip(specs, shown, strict=True)
    ]
    splits = [new_name.get(what, "") for what in new]
    known = [name for name, split in zip(names, splits, strict=True) if not split]
    if not known:
        raise UserError(
            f"all {len(specs)} clips are held out and none is left for training; hold out fewer names"
        )
    divided = split_sources(known, seed)
    return [split or divided[name] for name, split in zip(names, splits, strict=True)]


def _motion_names(motion: str) -> set[str]:
    """``walk@speed=1.2>wave`` -> walk, wave."""
    if motion.startswith(("bvh:", "openpose:")):
        return {motion}
    return {re.split("@", piece)[0] for piece in motion.split(">")}
