"""Puppet clips: a specification in, pictures with ground truth out. Same specification, same bytes."""

from dataclasses import dataclass

import numpy as np

from ..expressions import expression_vector
from .camera import camera_track
from .cast import find_character
from .channels import Pose
from .coupling import mood_pose
from .degradation import degraded
from .expression import AUTO, puppet_expression, with_heavy_lids
from .flow import exact_flow
from .legs import ground_travel
from .lighting import find_light
from .render import draw_part_map, draw_video
from .rig import build_rig
from .scene import Scene, build_scene, held
from .spec import PuppetSpec, check_numbers, check_spec


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
    check_spec(spec)
    expression = puppet_expression(spec.expression, spec.frames, spec.fps, spec.seed)
    who = find_character(spec.character)
    pose, before = _poses(spec.motion, expression, spec.fps, spec.coupling, spec.seed)
    if spec.expression.startswith(AUTO):
        expression = with_heavy_lids(expression, pose["drowsy"])
    rig, travel = build_rig(who, pose, before, expression), ground_travel(who.body, pose)
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
    check_numbers(frames, 64, fps, 0.0)
    expression = np.tile(expression_vector({}), (frames, 1))
    rig = build_rig(find_character(character), *_poses(motion, expression, fps, 0.0, seed), expression)
    return rig.keypoints.astype(np.float32), rig.confidence.astype(np.float32), rig.layer


def _poses(motion: str, expression: np.ndarray, fps: float, coupling: float, seed: int) -> tuple[Pose, Pose]:
    """The clip's pose, and that of the time before it."""
    time = np.arange(len(expression)) / fps
    return (
        mood_pose(motion, time, expression, coupling, seed),
        mood_pose(motion, time, expression, coupling, seed, before=True),
    )
