"""Comic marks of feeling: blush, flush lines, tears, a sweat drop, an angry vein, gloom over the eyes.

Each spreads from a point as the feeling grows, so that it has a map, and with it an exact flow.
"""

from functools import lru_cache

import numpy as np

from .affine import compose, place
from .character import Character
from .drawing import Drawing, Part, flat, mix, rgb
from .mood import Mood
from .shapes import ellipse, mirrored, smooth_closed, smooth_open, stroke
from .turn import TURN, on_face, on_head

_CURTAIN_HALF, _FOREHEAD = 10.6, 11.0
"""Half widths of the shade over the eyes and of the head there, in head coordinates."""

_WATER, _WATER_LINE, _WATER_LIGHT = (150, 208, 244), (74, 128, 188), (236, 248, 255)


def cheek_parts(
    character: Character, mood: Mood, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> list[Part]:
    """Under the eyes' layer: gloom, sickly green, blush and flush lines."""
    drawings = _drawings(character)
    parts = []
    for name, amount in (("gloom", mood.scared), ("queasy", mood.disgusted)):
        fall = _round_the_forehead(yaw, pitch)
        parts.append(
            _grown(name, drawings[name], compose(head, fall), np.minimum(1.3 * amount, 1.0), wide=False)
        )
    for side, sign in (("right", -1.0), ("left", 1.0)):
        cheek = compose(head, on_face(sign * 6.4, 7.0, yaw, pitch))
        blush = np.minimum(0.9 * mood.happy + 1.5 * mood.embarrassed, 1.0 + 0.35 * mood.embarrassed)
        parts.append(_grown(f"{side}_blush", drawings["blush"], cheek, blush))
        parts.append(_grown(f"{side}_flush", drawings["flush"], cheek, mood.embarrassed))
    return parts


def tear_parts(
    character: Character, mood: Mood, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> list[Part]:
    """Over the eyes: tears that well up on the lower lid and run down."""
    parts = []
    drawing = _drawings(character)["tear"]
    for side, sign in (("right", -1.0), ("left", 1.0)):
        lid = on_face(sign * 5.6, 2.3 + 0.7 * character.face.eye_height, yaw, pitch)
        parts.append(_grown(f"{side}_tear", drawing, compose(head, lid), mood.sad))
    return parts


def comic_parts(
    character: Character, mood: Mood, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray
) -> list[Part]:
    """Over the hair: a sweat drop at the temple, a swollen vein on the forehead."""
    drawings = _drawings(character)
    sweat = np.minimum(mood.scared + 0.9 * mood.embarrassed, 1.0)
    return [
        _grown("sweat", drawings["sweat"], compose(head, on_head(-0.95, 13.4, -3.5, yaw, pitch)),
            sweat, "brows"),
        _grown("vein", drawings["vein"], compose(head, on_head(0.72, 13.0, -9.0, yaw, pitch)),
            mood.angry, "brows"),
    ]  # fmt: skip


def _round_the_forehead(yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Map [T, 2, 3] of a curtain: each edge goes round the head with it, and no further than the outline."""
    reach = np.arcsin(_CURTAIN_HALF / _FOREHEAD)
    left, right = (
        _FOREHEAD * np.sin(np.clip(TURN * yaw + edge, -0.5 * np.pi, 0.5 * np.pi)) for edge in (-reach, reach)
    )
    middle = on_face(0.0, -8.2, np.zeros_like(yaw), pitch)
    middle[:, 0, 2] = 0.5 * (left + right)
    middle[:, 0, 0] = (right - left) / (2 * _CURTAIN_HALF)
    return middle


def _grown(
    name: str,
    drawing: Drawing,
    at: np.ndarray,
    amount: np.ndarray,
    group: str = "features",
    wide: bool = True,
) -> Part:
    """A mark scaled up from a point; one that never shows has nothing to draw."""
    scale = np.maximum(np.sqrt(np.clip(amount, 0.0, 2.0)), 0.02)
    grown = compose(
        at, place(len(amount), scale_x=scale if wide else np.minimum(6.0 * scale - 0.1, 1.0), scale_y=scale)
    )
    return Part(name, group, drawing if amount.max() > 0 else Drawing(), grown, False)


@lru_cache(maxsize=128)
def _drawings(character: Character) -> dict[str, Drawing]:
    skin, blush = rgb(character.palette.skin), rgb(character.palette.blush)
    tint = mix(skin, blush, 0.75)
    flush = Drawing()
    for x in (-1.5, 0.0, 1.5):
        line = np.array([[x + 0.55, -1.0], [x, 0.1], [x - 0.55, 1.0]])
        flush += flat(stroke(line, (0.25, 0.42, 0.25)), mix(blush, (214, 60, 66), 0.6))
    drop = smooth_closed(
        [(0, -2.9, 1), (1.0, -0.6), (1.45, 0.9), (0.75, 2.0), (-0.75, 2.0), (-1.45, 0.9), (-1.0, -0.6)]
    )
    light = smooth_closed([(-0.8, 0.4), (-0.3, 0.3), (-0.2, 1.1), (-0.7, 1.2)])
    sweat = flat(drop * 1.22 - [0, 0.05], _WATER_LINE) + flat(drop, _WATER) + flat(light, _WATER_LIGHT)
    run = smooth_closed([
        (-1.5, -0.7), (0, -0.2), (1.5, -0.7), (1.25, 0.8), (0.8, 2.4), (0.9, 4.2), (0, 5.2), (-0.9, 4.2),
        (-0.8, 2.4), (-1.25, 0.8),
    ])  # fmt: skip
    gleam = smooth_closed([(-0.7, 0.6), (-0.2, 0.4), (-0.2, 3.6), (-0.55, 3.8)])
    tear = flat(run * [1.25, 1.04], _WATER_LINE) + flat(run, _WATER) + flat(gleam, _WATER_LIGHT)
    vein = Drawing()
    for quarter in range(4):
        cos, sin = np.cos(quarter * np.pi / 2), np.sin(quarter * np.pi / 2)
        bend = smooth_open([(0.55, 2.9), (0.75, 1.3), (1.3, 0.75), (2.9, 0.55)]) @ np.array(
            [[cos, sin], [-sin, cos]]
        )
        vein += flat(stroke(bend, (0.5, 1.0, 0.5)), (214, 44, 52))
    return {
        "blush": flat(ellipse(0, 0, 2.4, 1.25, 20), tint),
            "flush": flush, "sweat": sweat, "tear": tear, "vein": vein,
        "gloom": _curtain(mix(skin, (112, 124, 190), 0.42), mix(skin, (84, 92, 160), 0.62)),
        "queasy": _curtain(mix(skin, (120, 168, 96), 0.42), mix(skin, (86, 130, 84), 0.62)),
    }  # fmt: skip


def _curtain(shade: tuple[float, float, float], line: tuple[float, float, float]) -> Drawing:
    """A shadow that falls from the hairline over the upper face, fringed with vertical lines."""
    half: list[tuple[float, ...]] = [
        (0, -4.4),
        (5.6, -3.5),
        (8.2, -1.0),
        (9.9, 2.6),
        (_CURTAIN_HALF, 6.4),
        (9.4, 9.2),
        (5.4, 9.4),
        (0, 9.0),
    ]
    drawn = flat(smooth_closed(mirrored(half)), shade)
    for i, x in enumerate((-8.8, -7.0, -1.5, 0.0, 1.5, 7.0, 8.8)):
        end = 11.4 + 1.4 * (i % 2)
        drawn += flat(stroke(np.array([[x, 1.0], [x, 6.0], [x, end]]), (0.5, 0.42, 0.15)), line)
    return drawn
