"""Puppet clips nobody trained on, and ways of making them: by a network, by the bare limb warp, by a network that has
nothing but reference pictures of a character it never saw."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from temporal_gan.data.letterbox import Letterbox
from temporal_gan.data.manifest import ClipRow
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.evaluation.clip_pairs import resize_clip
from temporal_gan.evaluation.keypoint_transfer import to_frames_u8
from temporal_gan.evaluation.pairing import FilePairs, animate_row, pair_files
from temporal_gan.evaluation.protocols import PROTOCOLS
from temporal_gan.evaluation.results import Results
from temporal_gan.evaluation.run import evaluate
from temporal_gan.inference.animator import Animator
from temporal_gan.inference.weights_file import References
from temporal_gan.limb_warp import limb_warp
from temporal_gan.models.conditioning import reference_preference
from temporal_gan.models.generator import Generator
from temporal_gan.pose_files import PoseSequence
from temporal_gan.puppet import PuppetSpec, random_specs
from temporal_gan.puppet.dataset import write_puppet_store
from temporal_gan.rng import mix_seed
from temporal_gan.skeletons import Skeleton
from temporal_gan.video_io import write_frames

SCORED = "test_motion"
"""Split of the clips that are made and scored; the pictures of the other splits may be shown to a network."""

MOTIONS_HELD_OUT = ("wave", "dance", "run")
"""An arm that leaves its place, one of everything, and limbs that pass over each other; nobody may train on them."""

PICTURES = (("idle", "neutral"), ("walk", "happy"), ("jump", "sad"), ("bow", "surprised"))
"""Motions and expressions of the clips that reference pictures of a character are taken from, most useful first."""

PROTOCOL = replace(PROTOCOLS["clips_v1"], name="clips_v1_by_character", interval_unit="character", anchors=())
"""Clips of one character are no independent samples of characters."""


class Maker(Protocol):
    """Whatever makes a clip of a named character from a pose and an expression."""

    expressions: tuple[str, ...]

    def generate(
        self, pose: PoseSequence, expression: np.ndarray | None, character: str, *, size: int
    ) -> Tensor: ...


@dataclass(frozen=True)
class Trial:
    """What the clips of a store are to show.

    Attributes:
        characters: names of the cast, or ``sample:SEED``.
        motions: of the scored clips; none of them may be among ``PICTURES``.
        clips: how many are scored.
        frames, size, fps: of every clip.
        pictures: how many clips there are of each character to take reference pictures from, the first of ``PICTURES``.
        seed: of all clips.
    """

    characters: tuple[str, ...]
    motions: tuple[str, ...]
    clips: int
    frames: int
    size: int
    fps: float
    pictures: int
    seed: int = 2026

    def store(self, path: Path) -> Store:
        """Render, or open what was rendered before, with exact flow.

        Raises:
            UserError: unknown names, or another trial's store lies there.
        """
        shared = [motion for motion, _ in PICTURES if motion in self.motions]
        if shared:
            raise UserError(f"--motions {shared[0]}: is shown in the reference pictures; name another one")
        common = {"frames": self.frames, "size": self.size, "fps": self.fps}
        scored = random_specs(self.clips, self.seed, self.characters, self.motions, **common)
        shown = [
            PuppetSpec(who, motion, f"{mood}:1.0", mix_seed(self.seed, who, motion) % 2**31, **common)
            for who in self.characters
            for motion, mood in PICTURES[: self.pictures]
        ]
        held_out = sorted({spec.motion for spec in scored})
        return write_puppet_store(
            path, scored + shown, self.seed, "flow", quiet=True, hold_out_motions=held_out
        )


def reference_pictures(store: Store, count: int) -> References:
    """The middle frames of up to ``count`` clips of each character that are not scored, at the clips' own size."""
    found: References = {}
    for character in store.info.characters:
        rows = [row for row in store.clips if row.character == character and row.split != SCORED]
        frames = [_middle_frame(store, row) for row in rows[:count]]
        found[character] = {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
    return found


def _middle_frame(store: Store, row: ClipRow) -> dict[str, np.ndarray]:
    labels, middle = store.labels(row.id), row.frames // 2
    return {
        "video": store.frames(row.id)[middle].transpose(2, 0, 1),
        "keypoints": labels.keypoints[middle],
        "confidence": labels.confidence[middle],
        "layer": labels.layer[middle],
    }


def with_strangers(animator: Animator, pictures: References) -> Animator:
    """The same network with characters it was not trained on, who are nothing to it but their pictures.

    Args:
        animator: stays as it is.
        pictures: of each new character; of any size.
    Raises:
        UserError: the network works without references, knows one of the characters, or makes no RGBA.
    """
    old = animator.generator
    if not old.config.references:
        raise UserError("this animator works without reference pictures and cannot be shown a new character")
    if old.domain.channels != 4:
        raise UserError("this animator makes RGB, the puppet's pictures are RGBA")
    known = sorted(set(pictures) & set(animator.characters))
    if known:
        raise UserError(f"{known[0]} is no stranger to this animator; choose another --first-stranger")
    domain = replace(old.domain, characters=(*old.domain.characters, *pictures))
    weights = old.state_dict()
    if old.character is not None:
        # No learned vector: what the network does with character -1.
        learned = weights["character.weight"]
        weights["character.weight"] = torch.cat([learned, learned.new_zeros(len(pictures), learned.shape[1])])
    generator = Generator(old.config, domain)
    generator.load_state_dict(weights)
    sized = {
        who: {**frames, "video": _at_size(frames["video"], animator.size)} for who, frames in pictures.items()
    }
    return Animator(generator, {**animator.references, **sized}, animator.device)


def _at_size(pictures: np.ndarray, size: int) -> np.ndarray:
    """uint8 [P, 4, h, w] -> [P, 4, size, size]."""
    return Letterbox(pictures.shape[3], pictures.shape[2], size).frames(pictures.transpose(0, 2, 3, 1))


class BareWarp:
    """For each frame the character's picture in the nearest pose, warped limb by limb, and no network at all.

    Args:
        pictures: of each character.
        skeleton, expressions: of the poses, and names; expressions change nothing.
        layered: warp each depth layer by its own limbs.
    """

    def __init__(
        self, pictures: References, skeleton: Skeleton, expressions: tuple[str, ...], layered: bool
    ) -> None:
        self.expressions = expressions
        self._pictures, self._edges, self._layered = pictures, skeleton.edges, layered

    @torch.no_grad()
    def generate(
        self, pose: PoseSequence, expression: np.ndarray | None, character: str, *, size: int
    ) -> Tensor:
        """[T, C, size, size] in [0, 1]."""
        bank = {name: torch.from_numpy(values)[None] for name, values in self._pictures[character].items()}
        points, known = (torch.from_numpy(x)[None] for x in (pose.keypoints, pose.confidence))
        layer = torch.from_numpy(np.asarray(pose.layer, np.int64))[None]
        nearest = reference_preference(points, known, bank["keypoints"], bank["confidence"])[0].argmax(dim=1)
        frames = torch.zeros(len(pose), *bank["video"].shape[2:])
        for picture in nearest.unique():
            at = nearest == picture
            one = slice(int(picture), int(picture) + 1)
            warped = limb_warp(
                bank["video"][:, one].float() / 255, bank["keypoints"][:, one], bank["confidence"][:, one],
                points[:, at], known[:, at], self._edges, layer[:, at] if self._layered else None,
            )  # fmt: skip
            frames[at] = warped[0, :, 0]
        return resize_clip(frames, size, size)


def make_clips(maker: Maker, store: Store, folder: Path) -> FilePairs:
    """Make every scored clip as a lossless file that people can watch; made clips are paired with the real ones."""
    shutil.rmtree(folder, ignore_errors=True)
    for row in store.split(SCORED):
        made = animate_row(maker, store, row)  # type: ignore[arg-type]
        write_frames(folder / f"{row.id}.mkv", to_frames_u8(made), row.fps or store.info.fps)
    return pair_files(folder, store.path, SCORED)


def score(pairs: FilePairs, anchors: Sequence[str] = ()) -> Results:
    """Everything the project measures of these clips, by the judging reader. Raises UserError where one cannot be
    scored."""
    results = evaluate(pairs, replace(PROTOCOL, anchors=tuple(anchors)), split=SCORED)
    if results.failed:
        raise UserError(results.failed[0].reason)
    return results


def real_clips(store: Store) -> FilePairs:
    """The scored clips as if they had been made: what the reader and the metrics say of a perfect clip."""
    return pair_files(store.path, store.path, SCORED)
