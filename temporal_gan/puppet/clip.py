"""Puppet clips: a specification in, pictures with ground truth out. Same specification, same bytes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..errors import UserError
from ..expressions import CLASSES, expression_vector
from ..rng import mix_seed, numpy_generator
from .character import CHARACTERS, find_character
from .coupling import mood_pose
from .expression import AUTO, puppet_expression
from .motion import MOTIONS
from .render import draw_part_map, draw_video, exact_flow
from .rig import Rig, build_rig

CLIP_EXPRESSIONS = ("neutral", "happy", "sad", "angry", "surprised")
"""Classes drawn for a data set where the caller names none."""


@dataclass(frozen=True)
class PuppetSpec:
    """Everything a puppet clip depends on.

    Attributes:
        character: one of character.CHARACTERS.
        motion: one of motion.MOTIONS.
        expression: ``auto:happy`` for a generated rise, hold and fall with blinks, or a specification of
            :func:`temporal_gan.expressions.expression_track` such as ``happy:0.8``.
        seed: phase, speed and amplitude of the motion, timing of a generated expression.
        frames: T, at least 1.
        size: width and height in pixels.
        fps: frames per second.
        coupling: [0, 1], how much the expression moves the body.
    """

    character: str
    motion: str
    expression: str
    seed: int
    frames: int = 32
    size: int = 128
    fps: float = 24.0
    coupling: float = 0.7

    def to_json(self) -> dict[str, object]:
        """Plain types."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict) -> "PuppetSpec":
        """Inverse of :meth:`to_json`. Raises UserError where a field is missing or unknown."""
        try:
            return PuppetSpec(**data)
        except TypeError as error:
            raise UserError(f"puppet specification {data}: {error}") from None


@dataclass(frozen=True)
class PuppetClip:
    """A rendered clip. T frames of S x S pixels, J = 25 joints, E expression channels.

    Attributes:
        video: uint8 [T, S, S, 4], RGBA premultiplied by alpha on a transparent background.
        keypoints: float32 [T, 25, 2], canonical25, x and y in [0, 1], pixel centres at (i + 0.5) / size.
        confidence: float32 [T, 25], 1 visible, 0.5 behind another part.
        layer: int64 [T, 25], 0 near limbs, 1 torso and head, 2 far limbs.
        expression: float32 [T, E] in the order of expressions.EXPRESSIONS.
        time: float32 [T], seconds.
        hold: int64 [T]; every frame is its own drawing.
        flow: float32 [T-1, 2, S, S] pixels (dx, dy): frame t+1 sampled at x + flow[t](x) gives frame t.
        flow_valid: bool [T-1, 1, S, S].
        part_map: uint8 [T, S, S], 0 background, i + 1 for ``parts[i]``.
        parts: part names, back to front.
    """

    video: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    expression: np.ndarray
    time: np.ndarray
    hold: np.ndarray
    flow: np.ndarray | None = None
    flow_valid: np.ndarray | None = None
    part_map: np.ndarray | None = None
    parts: tuple[str, ...] = ()


def render_clip(spec: PuppetSpec, truth: bool = False) -> PuppetClip:
    """Render a specification; ``truth`` adds flow, flow_valid and part_map.

    Raises:
        UserError: unknown character, motion or expression, or a number out of range.
    """
    _check(spec.frames, spec.size, spec.fps, spec.coupling)
    expression = puppet_expression(spec.expression, spec.frames, spec.fps, spec.seed)
    rig = _rig(spec.character, spec.motion, expression, spec.fps, spec.coupling, spec.seed)
    flow = flow_valid = part_map = None
    if truth:
        part_map = draw_part_map(rig.parts, spec.size)
        flow, flow_valid = exact_flow(rig.parts, part_map)
    return PuppetClip(
        video=draw_video(rig.parts, spec.size),
        keypoints=rig.keypoints.astype(np.float32),
        confidence=rig.confidence.astype(np.float32),
        layer=rig.layer,
        expression=expression,
        time=(np.arange(spec.frames) / spec.fps).astype(np.float32),
        hold=np.arange(spec.frames, dtype=np.int64),
        flow=flow,
        flow_valid=flow_valid,
        part_map=part_map,
        parts=tuple(part.name for part in rig.parts),
    )


def motion_keypoints(
    character: str, motion: str, frames: int, fps: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A motion's pose sequence without drawing it, the face neutral.

    Returns:
        keypoints float32 [T, 25, 2], confidence float32 [T, 25], layer int64 [T, 25]: see PuppetClip.
    Raises:
        UserError: unknown character or motion, or a number out of range.
    """
    _check(frames, 64, fps, 0.0)
    expression = np.tile(expression_vector({}), (frames, 1))
    rig = _rig(character, motion, expression, fps, 0.0, seed)
    return rig.keypoints.astype(np.float32), rig.confidence.astype(np.float32), rig.layer


def random_specs(
    num_clips: int,
    seed: int,
    characters: Sequence[str] | None = None,
    motions: Sequence[str] | None = None,
    expressions: Sequence[str] | None = None,
    frames: int = 32,
    size: int = 128,
    fps: float = 24.0,
    coupling: float = 0.7,
) -> list[PuppetSpec]:
    """The specifications of a data set; clip i is a function of (seed, i) and the lists alone.

    Characters, motions and expressions take turns (every combination once per round, in an order the seed
    shuffles), so that small data sets are balanced too.

    Args:
        num_clips: how many.
        seed: shuffles the order and seeds every clip.
        characters, motions: names; None for all.
        expressions: class names (``happy`` means ``auto:happy``), or specifications with ":" or ">" such as
            ``happy:0.8``, which are followed to the letter; None for CLIP_EXPRESSIONS.
        frames, size, fps, coupling: as in :class:`PuppetSpec`.
    Raises:
        UserError: an unknown name (the message lists the valid ones), or a number out of range.
    """
    _check(frames, size, fps, coupling)
    who = _known("characters", characters, tuple(CHARACTERS))
    what = _known("motions", motions, tuple(MOTIONS))
    how = [_clip_expression(name) for name in (CLIP_EXPRESSIONS if expressions is None else expressions)]
    if not how:
        raise UserError(f"puppet expressions: none given; choose among: {', '.join(CLASSES)}")
    for spec in how:
        puppet_expression(spec, 1, fps, 0)
    combinations = [(c, m, e) for c in who for m in what for e in how]
    specs: list[PuppetSpec] = []
    for index in range(num_clips):
        turn, place = divmod(index, len(combinations))
        order = numpy_generator(seed, "puppet", "order", turn).permutation(len(combinations))
        character, motion, expression = combinations[int(order[place])]
        own_seed = mix_seed(seed, "puppet", "clip", index) % 2**31
        specs.append(PuppetSpec(character, motion, expression, own_seed, frames, size, fps, coupling))
    return specs


def _rig(character: str, motion: str, expression: np.ndarray, fps: float, coupling: float, seed: int) -> Rig:
    who = find_character(character)
    time = np.arange(len(expression)) / fps
    pose = mood_pose(motion, time, expression, coupling, seed)
    before = mood_pose(motion, time, expression, coupling, seed, before=True)
    return build_rig(who, pose, before, expression)


def _clip_expression(name: str) -> str:
    return name if ":" in name or ">" in name or name.endswith(".csv") else AUTO + name


def _known(what: str, names: Sequence[str] | None, valid: tuple[str, ...]) -> tuple[str, ...]:
    if names is None:
        return valid
    unknown = [name for name in names if name not in valid]
    if unknown or not names:
        raise UserError(f"puppet {what} {list(unknown)} are not among: {', '.join(valid)}")
    return tuple(names)


def _check(frames: int, size: int, fps: float, coupling: float) -> None:
    if frames < 1:
        raise UserError(f"puppet clip: frames is {frames}, must be at least 1")
    if not 16 <= size <= 1024:
        raise UserError(f"puppet clip: size is {size}, must be from 16 to 1024 pixels")
    if not fps > 0:
        raise UserError(f"puppet clip: fps is {fps}, must be positive")
    if not 0.0 <= coupling <= 1.0:
        raise UserError(f"puppet clip: coupling is {coupling}, must be in [0, 1]")
