"""Head, hair and ears: layers that slide against each other as the head turns, and locks that trail it."""

from functools import lru_cache

import numpy as np

from .affine import apply, compose, place
from .character import Character, Lock
from .drawing import Drawing, Part, detail, flat, mix, rgb, shade_of, surface
from .face import EYE_X, EYE_Y, NOSE_Y, brow_parts, face_parts, on_face
from .motion import Pose
from .shapes import ellipse, mirrored, smooth_closed, smooth_open, stroke

FACE = (
    (0.0, -13.0), (7.0, -11.5), (10.9, -6.5), (11.5, -1.0), (10.6, 4.2), (7.6, 8.6), (3.4, 11.5), (0.0, 12.5),
)  # fmt: skip


def head_parts(
    character: Character, pose: Pose, head: np.ndarray, expression: np.ndarray, throw: np.ndarray
) -> tuple[list[Part], dict[str, np.ndarray]]:
    """Everything on the neck, and the joints of the face.

    Args:
        character: hair, ears, colours.
        pose: channels over T frames.
        head: [T, 2, 3], head coordinates (origin mid-head) -> picture units.
        expression: [T, E] in the order of expressions.EXPRESSIONS.
        throw: [T, 2], where the head was a moment ago, less where it is: what hair follows.
    Returns:
        parts, and joint name -> [T, 2] in picture units.
    """
    frames = len(head)
    yaw, pitch = pose["head_yaw"], pose["head_pitch"]
    drawings = _drawings(character)

    def layer(depth: float) -> np.ndarray:
        return compose(head, place(frames, 5.0 * depth * np.sin(yaw), 4.0 * depth * pitch))

    chin = 0.14 * np.sin(yaw)
    face = compose(head, place(frames, 1.1 * np.sin(yaw) + 6.0 * chin, 1.5 * pitch, shear=chin))
    parts = [Part("cap", "head", drawings["cap"], layer(-0.15)), Part("face", "face", drawings["face"], face)]
    joints: dict[str, np.ndarray] = {}
    for side, sign in (("right", -1.0), ("left", 1.0)):
        if character.ears == "cat":
            lag = 0.03 * (throw[:, 1] - sign * throw[:, 0])
            turn = sign * (pose["ear_droop"] + lag)
            root = (sign * 8.2, -9.0)
            to_head = place(frames, *root, turn, 1.0 - 0.2 * sign * np.sin(yaw), 1.0)
            ear = compose(layer(0.05), to_head)
            parts.append(Part(f"{side}_ear", "ears", drawings[f"{side}_ear"], ear))
            joints[f"{side}_ear"] = apply(ear, np.array([[sign * 1.6, -4.6]]))[:, 0]
        else:
            ear = compose(layer(-0.1), place(frames, sign * 11.6, 3.4))
            parts.append(Part(f"{side}_ear", "head", drawings[f"{side}_ear"], ear))
            joints[f"{side}_ear"] = apply(ear, np.zeros((1, 2)))[:, 0]
        joints[f"{side}_eye"] = compose(head, on_face(sign * EYE_X, EYE_Y, yaw, pitch))[:, :, 2]
    joints["nose"] = compose(head, on_face(0.0, NOSE_Y, 1.15 * yaw, pitch))[:, :, 2]
    parts += face_parts(character, expression, head, yaw, pitch)
    for i, lock in enumerate(character.locks):
        swing = compose(layer(lock.depth), _sway(lock, throw, frames))
        parts.append(
            Part(f"lock_{i}", "back_hair" if lock.behind else "front_hair", drawings[f"lock_{i}"], swing)
        )
    parts.append(Part("bangs", "bangs", drawings["bangs"], layer(0.35)))
    if character.bow:
        parts.append(Part("bow", "bow", drawings["bow"], layer(0.1)))
    return parts + brow_parts(character, expression, head, yaw, pitch), joints


def _sway(lock: Lock, throw: np.ndarray, frames: int) -> np.ndarray:
    """A lock leans and stretches about its root, which stays on the head."""
    length = max(p[1] for p in lock.points) - lock.root_y
    shear = lock.swing * 1.25 * throw[:, 0] / length
    stretch = 1 + lock.swing * 0.6 * throw[:, 1] / length
    return place(
        frames,
        -shear * lock.root_y,
        lock.root_y * (1 - stretch),
        0.0,
        1.0 + 0.2 * (1 - stretch),
        stretch,
        shear,
    )


@lru_cache(maxsize=64)
def _drawings(character: Character) -> dict[str, Drawing]:
    palette = character.palette
    hair, skin = rgb(palette.hair), rgb(palette.skin)
    drawings = {"cap": surface(smooth_closed(character.cap), palette.hair)}
    if not character.muzzle:
        inside = smooth_closed([(x * 0.93, y * 0.93) for x, y, *_ in character.cap])
        drawings["cap"] += flat(inside, shade_of(hair))
    bangs = smooth_closed(character.bangs)
    face = smooth_closed(mirrored(FACE))
    drawings["face"] = surface(face, palette.skin, 0.9) + flat(
        _under_bangs(bangs), mix(skin, shade_of(skin), 0.8)
    )
    drawings["bangs"] = surface(bangs, palette.hair, 1.6) + _gloss(palette.hair) + _strands(character)
    for i, lock in enumerate(character.locks):
        shape = smooth_closed(lock.points)
        drawings[f"lock_{i}"] = surface(shape, palette.hair, 1.5)
        if lock.behind:
            drawings[f"lock_{i}"] += flat(shape * [0.93, 1.0] - [0, 1.6], shade_of(hair))
    for side, sign in (("right", -1.0), ("left", 1.0)):
        if character.ears == "cat":
            outer = smooth_closed([(-4.6, 2.0), (-3.0, -4.4), (2.2, -10.4, 0.7), (4.4, -5.2), (4.0, 1.6)]) * [
                sign,
                1.0,
            ]
            inner = smooth_closed([(-2.4, 1.0), (-1.4, -3.6), (1.9, -8.0, 0.7), (3.0, -4.2), (2.8, 1.0)]) * [
                sign,
                1.0,
            ]
            drawings[f"{side}_ear"] = surface(outer, palette.hair) + flat(inner, palette.blush)
        else:
            drawings[f"{side}_ear"] = surface(ellipse(0, 0, 1.7, 2.5), palette.skin, 0.6)
    if character.bow:
        drawings["bow"] = _bow(palette.accent)
    return drawings


def _under_bangs(bangs: np.ndarray) -> np.ndarray:
    """The shadow the fringe throws on the forehead: its lower edge, further down, inside the face."""
    lower = bangs[(bangs[:, 1] > -8.5) & (np.abs(bangs[:, 0]) < 9.8)]
    lower = lower[np.argsort(-lower[:, 0], kind="stable")] + [0.0, 1.5]
    ends = np.array([[lower[-1, 0], -9.0], [lower[0, 0], -9.0]])
    return np.concatenate([lower, ends])


def _gloss(colour: str) -> Drawing:
    """The ring of light on anime hair, broken into three strokes."""
    light = mix(rgb(colour), (255, 244, 225), 0.5)
    drawn = Drawing()
    for start, end in ((-10.2, -4.6), (-3.6, 2.6), (3.8, 6.6)):
        x = np.linspace(start, end, 5)
        line = smooth_open([(v, -12.3 + 0.042 * v * v + 1.6) for v in x])
        drawn += flat(stroke(line, (0.2, 1.3, 1.5, 1.1, 0.2)), light)
    return drawn


def _strands(character: Character) -> Drawing:
    """Lines running up from the notches of the fringe."""
    dark = mix(rgb(character.palette.hair), shade_of(rgb(character.palette.hair)), 1.3)
    drawn = Drawing()
    for x, y, *sharp in character.bangs:
        if sharp and sharp[0] < 0.8 and abs(x) < 9.0:
            line = smooth_open([(x, y), (0.86 * x, y - 2.0), (0.66 * x, y - 4.2)])
            drawn += flat(stroke(line, (0.7, 0.45, 0.1)), dark)
    return drawn


def _bow(colour: str) -> Drawing:
    at = np.array([-9.6, -11.2])
    drawn = Drawing()
    for side in (-1.0, 1.0):
        wing = smooth_closed([(0.2, 0.0), (2.2, -2.4), (4.8, -2.9), (5.2, 0.0), (4.4, 2.4), (2.0, 1.7)]) * [
            side,
            1.0,
        ]
        drawn += surface(wing @ np.array([[0.85, -0.53], [0.53, 0.85]]) + at, colour, 0.9)
    return drawn + detail(ellipse(at[0], at[1], 1.15, 1.25), colour, 0.4)
