"""Pictures with labels for a reader: a batch, and the puppet's endless supply of them."""

from collections import OrderedDict
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from ...alpha import over_white
from ...expressions import CLASSES, CONTROLS, EXPRESSIONS
from ...models.reader import FACE_JOINTS, NECK
from ...puppet.clip import render_clip
from ...puppet.motion import MOTIONS
from ...puppet.spec import RANDOM, PuppetSpec
from ...rng import mix_seed, numpy_generator
from .appearance import alter_colours, change_view, spoil
from .recipe import DRAWN_CHARACTERS, DRAWN_SCRIPTS, FramesConfig

_MOMENTS_PER_SEC = 6.0
_PARTIAL_MOTION, _PARTIAL_FACE = 0.25, 0.3
"""How often a script passes from one motion into another, and asks for a control on top of its class."""


@dataclass(frozen=True)
class FrameBatch:
    """N pictures with what is to be read in them.

    Attributes:
        frames: [N, 3, S, S], [0, 1].
        keypoints, confidence: [N, 25, 2] in [0, 1] and [N, 25], canonical25.
        joints_known: bool [N, 25]; elsewhere nobody knows where the joint is, nor whether it can be seen.
        expression: [N, 14] in the order of expressions.EXPRESSIONS.
        expression_known: bool [N, 14].
        script: int64 [N]: pictures of one number show one pose and one expression; -1: nobody knows.
        character: int64 [N]: pictures of one number show one character in the same colours; -1: nobody knows.
    """

    frames: Tensor
    keypoints: Tensor
    confidence: Tensor
    joints_known: Tensor
    expression: Tensor
    expression_known: Tensor
    script: Tensor
    character: Tensor

    def to(self, device: torch.device) -> "FrameBatch":
        """The same on another device."""
        return FrameBatch(*(getattr(self, f.name).to(device) for f in fields(self)))


@dataclass(frozen=True)
class Scene:
    """Characters (axis 0) that play the same scripts (axis 1), at several moments (axis 2).

    Attributes:
        frames: uint8 [C, K, M, S, S, 3].
        keypoints, confidence, expression: float32 [C, K, M, 25, 2], [C, K, M, 25], [C, K, M, 14].
    """

    frames: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    expression: np.ndarray


class PuppetFrames:
    """Batches of puppet pictures, each a function of the seed and the step alone.

    Scenes are rendered as they are needed and the newest are kept: while a batch is drawn from them, each picture comes
    several times, never twice with the same view, colours and flaws.
    """

    def __init__(self, config: FramesConfig, seed: int) -> None:
        self.config, self.seed = config, seed
        self._scenes: OrderedDict[int, Scene] = OrderedDict()

    def batch(self, step: int) -> FrameBatch:
        """The batch of a step."""
        config = self.config
        newest = config.first_scenes - 1 + step // config.steps_a_scene
        oldest = max(0, newest + 1 - config.scenes_kept)
        for number in [n for n in self._scenes if n < oldest]:
            del self._scenes[number]
        random = numpy_generator(self.seed, "batch", step)
        chosen = random.permutation(np.arange(oldest, newest + 1))[: config.scenes_a_batch]
        parts = [self._draw(self._scene(int(n)), random, place) for place, n in enumerate(chosen)]
        arrays = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        arrays["frames"] = arrays["frames"].transpose(0, 3, 1, 2)
        tensors = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
        return FrameBatch(
            **tensors | {"frames": tensors["frames"].float() / 255},
            joints_known=torch.ones(tensors["confidence"].shape, dtype=torch.bool),
        )

    def _scene(self, number: int) -> Scene:
        if number not in self._scenes:
            self._scenes[number] = render_scene(self.config, self.seed, number)
        return self._scenes[number]

    def _draw(self, scene: Scene, random: np.random.Generator, place: int) -> dict[str, np.ndarray]:
        """Some characters in some scripts, a moment of each, every picture seen anew."""
        characters, scripts, moments = scene.frames.shape[:3]
        who = random.permutation(characters)[:DRAWN_CHARACTERS]
        what = random.permutation(scripts)[:DRAWN_SCRIPTS]
        moment = {int(k): int(random.integers(moments)) for k in what}
        mirrored = {int(k): bool(random.random() < 0.5) for k in what}
        drawn: dict[str, list] = {"frames": [], "keypoints": [], "confidence": [], "expression": []}
        for c in who:
            colours = alter_colours(random)
            for k in map(int, what):
                at = int(c), k, moment[k]
                frame, points, seen, face = change_view(
                    scene.frames[at], scene.keypoints[at], scene.confidence[at], scene.expression[at],
                    mirrored[k], random,
                )  # fmt: skip
                frame, seen = spoil(colours(frame), points, seen, random)
                for name, value in zip(drawn, (frame, points, seen, face), strict=True):
                    drawn[name].append(value)
        found = {name: np.stack(values) for name, values in drawn.items()}
        found["script"] = np.tile(what, len(who)) + place * scripts
        found["character"] = np.repeat(who, len(what)) + place * characters
        return found | {
            "expression_known": readable_faces(found["keypoints"], found["confidence"], found["frames"])
        }


def render_scene(config: FramesConfig, seed: int, number: int) -> Scene:
    """A scene of the endless row; its characters are met nowhere else."""
    random = numpy_generator(seed, "scene", number)
    first = mix_seed(seed, "characters") % 2**40 + number * config.characters
    specs = [_script(random, config.size, config.moments) for _ in range(config.scripts)]
    clips = [
        [render_clip(PuppetSpec(f"sample:{first + c}", **spec)) for spec in specs]
        for c in range(config.characters)
    ]
    page = _page(random)
    return Scene(
        np.stack([[_on_page(clip.video, page) for clip in row] for row in clips]),
        np.stack([[clip.keypoints for clip in row] for row in clips]),
        np.stack([[clip.confidence for clip in row] for row in clips]),
        np.stack([[clip.expression for clip in row] for row in clips]),
    )


def _script(random: np.random.Generator, size: int, moments: int) -> dict:
    """Everything of a puppet specification but the character."""
    motion = str(random.choice(tuple(MOTIONS)))
    if random.random() < _PARTIAL_MOTION:
        motion += ">" + str(random.choice(tuple(MOTIONS)))
    expression = f"auto:{random.choice(CLASSES)}"
    if random.random() < _PARTIAL_FACE:
        expression += f"+{random.choice(CONTROLS)}:{random.uniform(0.2, 1.0):.2f}"
    plain = random.random() < 0.4
    return {
        "motion": motion,
        "expression": expression,
        "seed": int(random.integers(2**31)),
        "frames": moments,
        "size": size,
        "fps": _MOMENTS_PER_SEC,
        "coupling": float(random.random()),
        "lighting": RANDOM,
        "background": "transparent" if plain else RANDOM,
        "camera": RANDOM,
    }


def _page(random: np.random.Generator) -> np.ndarray:
    """What transparent clips of a scene lie on: mostly white."""
    return np.full(3, 255) if random.random() < 0.6 else random.integers(0, 256, 3)


def _on_page(video: np.ndarray, page: np.ndarray) -> np.ndarray:
    """uint8 [T, S, S, 4] premultiplied -> uint8 [T, S, S, 3]."""
    if (page == 255).all():
        return over_white(video)
    rest = 255 - video[..., 3:].astype(np.uint16)
    return (video[..., :3] + (rest * page.astype(np.uint16) + 127) // 255).astype(np.uint8)


def readable_faces(keypoints: np.ndarray, confidence: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """bool [N, 14]: nose and eyes can be seen, and the face is large enough to show anything."""
    seen = confidence[:, FACE_JOINTS].min(axis=1) > 0.75
    middle = keypoints[:, FACE_JOINTS].mean(axis=1)
    eyes = np.linalg.norm(keypoints[:, FACE_JOINTS[1]] - keypoints[:, FACE_JOINTS[2]], axis=-1)
    reach = np.maximum(np.linalg.norm(keypoints[:, NECK] - middle, axis=-1), eyes) * frames.shape[1]
    return np.repeat((seen & (reach >= 5.0))[:, None], len(EXPRESSIONS), axis=1)
