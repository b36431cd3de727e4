"""Puppet clips: a specification in, pictures with ground truth out. Same specification, same bytes."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from ..errors import UserError
from ..expressions import CLASSES, expression_vector
from ..rng import mix_seed, numpy_generator
from .background import BACKGROUNDS, find_background
from .camera import CAMERAS, camera_track
from .cast import CHARACTERS, find_character
from .coupling import mood_pose
from .degradation import DEGRADATIONS, degraded, find_degradation
from .expression import AUTO, puppet_expression
from .flow import exact_flow
from .legs import ground_travel
from .lighting import LIGHTS, find_light
from .motion import MOTIONS
from .render import draw_part_map, draw_video
from .rig import Rig, build_rig
from .scene import Scene, build_scene, held

CLIP_EXPRESSIONS = ("neutral", "happy", "sad", "angry", "surprised")
"""Classes drawn for a data set where the caller names none."""

RANDOM = "random"
"""As lighting, background, camera or degradation: one of them, by the clip's seed."""


@dataclass(frozen=True)
class PuppetSpec:
    """Everything a puppet clip depends on.

    Attributes:
        character: one of cast.CHARACTERS, or ``sample:SEED``.
        motion: one of motion.MOTIONS.
        expression: ``auto:happy`` for a generated rise, hold and fall with blinks, or a specification of
            :func:`temporal_gan.expressions.expression_track` such as ``happy:0.8``.
        seed: phase, speed and amplitude of the motion, timing of a generated expression.
        frames: T, at least 1.
        size: width and height in pixels.
        fps: frames per second.
        coupling: [0, 1], how much the expression moves the body.
        lighting: one of lighting.LIGHTS, or random.
        background: one of background.BACKGROUNDS, or random (an opaque one).
        camera: moves of :func:`.camera.camera_track`, or random.
        hold: frames that each drawing is shown, 1 to 3; the camera moves on.
        degradation: one of degradation.DEGRADATIONS, none, or random. The ground truth does not know of it.
    """

    character: str
    motion: str
    expression: str
    seed: int
    frames: int = 32
    size: int = 128
    fps: float = 24.0
    coupling: float = 0.7
    lighting: str = "day"
    background: str = "transparent"
    camera: str = "still"
    hold: int = 1
    degradation: str = "none"

    def settled(self) -> "PuppetSpec":
        """The same clip with every ``random`` replaced by what it stands for."""
        choices = {
            "lighting": tuple(LIGHTS),
            "background": tuple(name for name, layers in BACKGROUNDS.items() if layers),
            "camera": CAMERAS,
            "degradation": ("none", *DEGRADATIONS),
        }
        drawn = {
            field: str(numpy_generator(self.seed, "puppet", "world", field).choice(names))
            for field, names in choices.items()
            if getattr(self, field) == RANDOM
        }
        return replace(self, **drawn) if drawn else self  # type: ignore[arg-type]

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
        video: uint8 [T, S, S, 4], RGBA premultiplied by alpha.
        keypoints: float32 [T, 25, 2], canonical25, x and y in [0, 1], pixel centres at (i + 0.5) / size.
        confidence: float32 [T, 25], 1 visible, 0.5 behind another part, 0 out of the frame.
        layer: int64 [T, 25], 0 near limbs, 1 torso and head, 2 far limbs.
        expression: float32 [T, E] in the order of expressions.EXPRESSIONS.
        time: float32 [T], seconds.
        hold: int64 [T], the same for frames that show the same drawing.
        flow: float32 [T-1, 2, S, S] pixels (dx, dy): frame t+1 sampled at x + flow[t](x) gives frame t.
        flow_valid: bool [T-1, 1, S, S].
        flow_backward: float32 [T-1, 2, S, S]: frame t sampled at x + flow_backward[t](x) gives frame t+1.
        flow_backward_valid: bool [T-1, 1, S, S], on frame t+1's grid.
        part_map: uint8 [T, S, S], i + 1 for ``parts[i]``, 0 where there is none.
        parts: part names; the figure's, then those of the background, ``background_0`` farthest.
        depth_order: int64 [T, P], indices of the parts, back to front.
        face_points: float32 [T, 28, 2] as keypoints: contour 5, brows 3 + 3, eyes 6 + 6 (each pair the one on
            the picture's left first), nose 1, mouth 4; None where the rig does not tell.
        face_visible: bool [T, 28], neither covered nor out of the frame.
    """

    video: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    expression: np.ndarray
    time: np.ndarray
    hold: np.ndarray
    parts: tuple[str, ...]
    depth_order: np.ndarray
    face_points: np.ndarray | None = None
    face_visible: np.ndarray | None = None
    flow: np.ndarray | None = None
    flow_valid: np.ndarray | None = None
    flow_backward: np.ndarray | None = None
    flow_backward_valid: np.ndarray | None = None
    part_map: np.ndarray | None = None


def render_clip(spec: PuppetSpec, truth: bool = False) -> PuppetClip:
    """Render a specification; ``truth`` adds the part map and the flow with its validity, both ways.

    Raises:
        UserError: unknown character, motion, expression or world, or a number out of range.
    """
    spec = spec.settled()
    scene = clip_scene(spec)
    video = draw_video(scene.parts, scene.order, find_light(spec.lighting), spec.size)
    exact: dict[str, np.ndarray] = {}
    if truth:
        part_map = draw_part_map(scene.parts, scene.order, spec.size)
        flow = exact_flow(scene.parts, part_map)
        exact = {
            "part_map": part_map,
            "flow": flow.forward,
            "flow_valid": flow.forward_valid,
            "flow_backward": flow.backward,
            "flow_backward_valid": flow.backward_valid,
        }
    return PuppetClip(
        video=degraded(video, spec.degradation, spec.seed),
        keypoints=scene.keypoints.astype(np.float32),
        confidence=scene.confidence.astype(np.float32),
        layer=scene.layer,
        expression=scene.expression,
        time=scene.time,
        hold=scene.hold,
        parts=tuple(part.name for part in scene.parts),
        depth_order=scene.order,
        face_points=None if scene.face_points is None else scene.face_points.astype(np.float32),
        face_visible=scene.face_visible,
        **exact,
    )


def clip_flow(spec: PuppetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Exact flow and validity of a clip as in :class:`PuppetClip`, without drawing its pictures."""
    scene = clip_scene(spec)
    flow = exact_flow(scene.parts, draw_part_map(scene.parts, scene.order, spec.size))
    return flow.forward, flow.forward_valid


def clip_scene(spec: PuppetSpec) -> Scene:
    """What a clip shows, not yet drawn. Raises UserError as :func:`render_clip` does."""
    spec = spec.settled()
    _check(spec)
    expression = puppet_expression(spec.expression, spec.frames, spec.fps, spec.seed)
    rig, travel = _rig(spec.character, spec.motion, expression, spec.fps, spec.coupling, spec.seed)
    frame = np.arange(spec.frames)
    if spec.hold > 1:
        shown = frame // spec.hold * spec.hold
        rig, travel, expression = held(rig, shown), travel[shown], expression[shown]
    camera = camera_track(spec.camera, spec.frames, spec.fps, spec.seed)
    time, hold = (frame / spec.fps).astype(np.float32), frame // spec.hold
    return build_scene(rig, expression, time, hold, travel, spec.background, camera, spec.seed)


def motion_keypoints(
    character: str, motion: str, frames: int, fps: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A motion's pose sequence without drawing it, the face neutral.

    Returns:
        keypoints float32 [T, 25, 2], confidence float32 [T, 25], layer int64 [T, 25]: see PuppetClip.
    Raises:
        UserError: unknown character or motion, or a number out of range.
    """
    _check_numbers(frames, 64, fps, 0.0)
    expression = np.tile(expression_vector({}), (frames, 1))
    rig, _ = _rig(character, motion, expression, fps, 0.0, seed)
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
    lighting: str = "day",
    background: str = "transparent",
    camera: str = "still",
    hold: int = 1,
    degradation: str = "none",
) -> list[PuppetSpec]:
    """The specifications of a data set; clip i is a function of (seed, i) and the lists alone.

    Characters, motions and expressions take turns (every combination once per round, in an order the seed
    shuffles), so that small data sets are balanced too.

    Args:
        num_clips: how many.
        seed: shuffles the order and seeds every clip.
        characters, motions: names; None for all. Also whatever else :class:`PuppetSpec` takes.
        expressions: class names (``happy`` means ``auto:happy``), or specifications with ":" or ">" such as
            ``happy:0.8``, which are followed to the letter; None for CLIP_EXPRESSIONS.
        frames, size, fps, coupling, lighting, background, camera, hold, degradation: as in :class:`PuppetSpec`.
    Raises:
        UserError: an unknown name (the message lists the valid ones), or a number out of range.
    """
    who = _known("characters", characters, tuple(CHARACTERS), find_character)
    what = _known("motions", motions, tuple(MOTIONS), _try_motion)
    how = [_clip_expression(name) for name in (CLIP_EXPRESSIONS if expressions is None else expressions)]
    if not how:
        raise UserError(f"puppet expressions: none given; choose among: {', '.join(CLASSES)}")
    for name in how:
        puppet_expression(name, 1, 24.0, 0)
    combinations = [(c, m, e) for c in who for m in what for e in how]
    common = PuppetSpec(
        *combinations[0], 0, frames, size, fps, coupling, lighting, background, camera, hold, degradation
    )
    _check(common)
    specs: list[PuppetSpec] = []
    for index in range(num_clips):
        turn, place = divmod(index, len(combinations))
        if place == 0:
            order = numpy_generator(seed, "puppet", "order", turn).permutation(len(combinations))
        own_seed = mix_seed(seed, "puppet", "clip", index) % 2**31
        character, motion, expression = combinations[int(order[place])]
        spec = replace(common, character=character, motion=motion, expression=expression, seed=own_seed)
        specs.append(spec.settled())
    return specs


def _rig(
    character: str, motion: str, expression: np.ndarray, fps: float, coupling: float, seed: int
) -> tuple[Rig, np.ndarray]:
    """The posed character, and how far it has walked over the ground, [T]."""
    who = find_character(character)
    time = np.arange(len(expression)) / fps
    pose = mood_pose(motion, time, expression, coupling, seed)
    before = mood_pose(motion, time, expression, coupling, seed, before=True)
    return build_rig(who, pose, before, expression), ground_travel(who.body, pose)


def _try_motion(name: str) -> object:
    return mood_pose(name, np.zeros(1), expression_vector({})[None], 0.0, 0)


def _clip_expression(name: str) -> str:
    return name if ":" in name or ">" in name or name.endswith(".csv") else AUTO + name


def _known(
    what: str, names: Sequence[str] | None, valid: tuple[str, ...], find: Callable[[str], object]
) -> tuple[str, ...]:
    if names is None:
        return valid
    # A name with parameters, such as walk@speed=1.2 or sample:7, is for its own reader to judge.
    unknown = [name for name in names if name not in valid and not set(name) & set(":@>")]
    if unknown or not names:
        raise UserError(f"puppet {what} {unknown} are not among: {', '.join(valid)}")
    for name in names:
        find(name)
    return tuple(names)


def _check(spec: PuppetSpec) -> None:
    spec = spec.settled()
    _check_numbers(spec.frames, spec.size, spec.fps, spec.coupling)
    if spec.hold not in (1, 2, 3):
        raise UserError(f"puppet clip: hold is {spec.hold}, must be 1, 2 or 3 frames a drawing")
    find_light(spec.lighting)
    camera_track(spec.camera, 1, spec.fps, 0)
    find_background(spec.background)
    find_degradation(spec.degradation)


def _check_numbers(frames: int, size: int, fps: float, coupling: float) -> None:
    if frames < 1:
        raise UserError(f"puppet clip: frames is {frames}, must be at least 1")
    if not 16 <= size <= 1024:
        raise UserError(f"puppet clip: size is {size}, must be from 16 to 1024 pixels")
    if not fps > 0:
        raise UserError(f"puppet clip: fps is {fps}, must be positive")
    if not 0.0 <= coupling <= 1.0:
        raise UserError(f"puppet clip: coupling is {coupling}, must be in [0, 1]")
