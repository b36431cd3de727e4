"""How well are motions and characters made that no network was trained on?

    python benchmarks/held_out_puppets.py --work DIR --animator FILE [--animator FILE2 ...]

Renders two sets of puppet clips into DIR: characters that the animators know, in motions held out of their training;
and sampled characters that they never saw, made from 1 and from 4 reference pictures out of other clips of theirs.
Every animator makes all clips (lossless files below DIR), and the judging reader, the exact motion and the pixels say
what they are worth, beside the real clips, the first frame copied, and the bare limb warp of the picture in the nearest
pose. With --overlap also: how it compares with that warp where limbs lie over each other, and elsewhere. Intervals are
95 % bootstrap intervals over characters.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import limb_overlap
from limb_overlap import overlap_psnr
from puppet_trials import (
    MOTIONS_HELD_OUT,
    PICTURES,
    SCORED,
    BareWarp,
    Maker,
    Trial,
    make_clips,
    real_clips,
    reference_pictures,
    score,
    with_strangers,
)
from records import own_command, write_record
from scoreboard import MEASURES, ClipValues, differences, markdown, scoreboard, to_json, values_of

from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.evaluation.comparison import compare_results
from temporal_gan.inference.animator import Animator, load_animator
from temporal_gan.inference.weights_file import ANIMATOR_FILE, References
from temporal_gan.puppet import CHARACTERS
from temporal_gan.puppet.cast import SAMPLE
from temporal_gan.puppet.dataset import puppet_spec

REAL, FROZEN = "real clips", "first frame copied"
WARP, LAYERED = "bare warp", "layered bare warp"
SHOWN = (1, len(PICTURES))
"""How many pictures of a stranger there are."""

FIRST_STRANGER = 31_000_000
"""Seeds from here on are for judging; a training that samples characters must stay below."""


def known_trial(animators: Mapping[str, Animator], options: argparse.Namespace) -> Trial:
    """Characters that all animators know, in held-out motions."""
    names = set.intersection(*(set(animator.characters) for animator in animators.values()))
    # Sorted as the cast is, so that the clips do not depend on the order in a file.
    puppets = [name for name in CHARACTERS if name in names]
    puppets += sorted(name for name in names if re.fullmatch(SAMPLE + r"\d+", name))
    if not puppets:
        raise UserError("the animators know no puppet character in common; --animator FILE of a puppet store")
    return Trial(
        tuple(puppets), options.motions, options.clips, options.frames, options.size, _fps(animators), 1
    )


def stranger_trial(animators: Mapping[str, Animator], options: argparse.Namespace) -> Trial:
    """Sampled characters in the same motions."""
    first = options.first_stranger
    characters = tuple(f"{SAMPLE}{seed}" for seed in range(first, first + options.strangers))
    return Trial(
        characters,
        options.motions,
        options.clips,
        options.frames,
        options.size,
        _fps(animators),
        len(PICTURES),
    )


def _fps(animators: Mapping[str, Animator]) -> float:
    rates = sorted({animator.fps for animator in animators.values()})
    if len(rates) > 1:
        raise UserError(f"the animators were trained at {rates} frames per second; give those of one rate")
    return rates[0]


@dataclass(frozen=True)
class Group:
    """Ways that work from the same pictures of the characters.

    Attributes:
        suffix: of their names.
        networks: by name.
        pictures: what the bare warps warp; empty: there are no warps.
    """

    suffix: str
    networks: Mapping[str, Animator]
    pictures: References

    def makers(self, store: Store) -> dict[str, Maker]:
        """All of them by name."""
        info = store.info
        makers: dict[str, Maker] = {name + self.suffix: animator for name, animator in self.networks.items()}
        for name, layered in ((WARP, False), (LAYERED, True)) if self.pictures else ():
            makers[name + self.suffix] = BareWarp(self.pictures, info.skeleton, info.expressions, layered)
        return makers


def stranger_groups(animators: Mapping[str, Animator], store: Store) -> list[Group]:
    """Every animator shown 1 picture of each character, and 4."""
    groups = []
    for count in SHOWN:
        pictures = reference_pictures(store, count)
        networks = {name: with_strangers(animator, pictures) for name, animator in animators.items()}
        groups.append(Group(f", {count} picture{'s' * (count > 1)}", networks, pictures))
    return groups


def run_trial(
    title: str, store: Store, groups: Sequence[Group], work: Path, overlap: bool
) -> dict[str, object]:
    """Make, score and print one set of clips; returns what is recorded of it."""
    scored = store.split(SCORED)
    characters = {row.id: row.character for row in scored}
    perfect = score(real_clips(store), ("copy_first_frame",))
    real = values_of(perfect.clips)
    ways: dict[str, ClipValues] = {REAL: real, FROZEN: values_of(perfect.clips, "copy_first_frame")}
    inside: dict[str, ClipValues] = {}
    for way, maker in ((w, m) for group in groups for w, m in group.makers(store).items()):
        pairs = make_clips(maker, store, results_file(work, way).with_suffix(""))
        results = score(pairs)
        results.write(results_file(work, way))
        ways[way] = values_of(results.clips)
        if overlap:
            inside[way] = {pair.clip_id: overlap_psnr(pair, store) for pair in pairs}
        print(f"{title}: {way} made and scored", file=sys.stderr, flush=True)
    board = scoreboard(MEASURES, ways, real, characters)
    print(f"\n## {title}\n\n{len(scored)} clips of {len(set(characters.values()))} characters.\n")
    print(markdown(MEASURES, board))
    recorded: dict[str, object] = {"clips": len(scored), "ways": to_json(board)}
    if overlap:
        found = scoreboard(limb_overlap.MEASURES, inside, {}, characters)
        print("\nForeground PSNR in dB, where limbs of different depth lie over each other and elsewhere:\n")
        print(markdown(limb_overlap.MEASURES, found))
        recorded["overlap"] = to_json(found)
    motions = {row.id: puppet_spec(row).motion for row in scored}
    for group in (group for group in groups if group.pictures):
        warp = LAYERED + group.suffix
        for way in (name + group.suffix for name in group.networks):
            files = (results_file(work, w) for w in (way, warp))
            print(f"\n### {way} against {warp}\n\n{differences(compare_results(*files), way, warp)}")
            if overlap:
                print(f"\n{limb_overlap.against_warp(inside[way], inside[warp], characters, motions)}")
    return recorded


def results_file(work: Path, way: str) -> Path:
    """Where :func:`run_trial` writes what was measured of a way; its clips are in the folder of that name."""
    return work / (re.sub(r"\W+", "_", way) + ".json")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--animator", action="append", required=True, help="file or run; may be repeated")
    parser.add_argument("--work", type=Path, required=True, help="folder for the stores and the made clips")
    parser.add_argument("--motions", type=lambda text: tuple(text.split(",")), default=MOTIONS_HELD_OUT)
    parser.add_argument(
        "--clips", type=int, default=48, help="scored clips of known characters, and of strangers"
    )
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--strangers", type=int, default=12, help="characters never seen")
    parser.add_argument(
        "--first-stranger", type=int, default=FIRST_STRANGER, help="seed of the first of them"
    )
    parser.add_argument("--overlap", action="store_true", help="also compare where limbs overlap")
    options = parser.parse_args()
    animators = {_name(source): load_animator(source) for source in options.animator}
    if len(animators) < len(options.animator):
        raise UserError("two --animator have the same name; rename a file or a run's folder")
    print(f"`{own_command()}`")
    figures: dict[str, object] = {}
    known, strangers = known_trial(animators, options), stranger_trial(animators, options)
    store = known.store(options.work / "known")
    groups = [Group("", animators, next(iter(animators.values())).references)]
    title = "Known characters in held-out motions"
    figures[title] = run_trial(title, store, groups, options.work / "made_known", options.overlap)
    store = strangers.store(options.work / "strangers")
    groups = stranger_groups(animators, store)
    title = "Characters never seen, by reference pictures"
    figures[title] = run_trial(title, store, groups, options.work / "made_strangers", options.overlap)
    print(f"\nRecorded in {write_record(own_command(), figures).name}", file=sys.stderr)


def _name(source: str) -> str:
    path = Path(source)
    return path.parent.name if path.name == ANIMATOR_FILE else path.stem


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
