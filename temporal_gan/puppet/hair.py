"""Hair drawn and moved: a cap, a dome over the brow, strands of a fringe, hanging locks that trail the head."""

from functools import lru_cache

import numpy as np

from .affine import affine, compose, place
from .character import Character
from .drawing import Drawing, Part, flat, mix, rgb, shade_of
from .hairstyles import CAPS, EXTRAS, FRINGES, SIDES, Lock, Strand, both
from .pen import Pen
from .shapes import ellipse, smooth_closed, smooth_open, stroke
from .turn import TURN

HAIRLINE = -9.0
_STRAND_RADIUS = 14.0

_DOME = both((
    (0.0, -15.4), (7.6, -13.9), (12.7, -8.6), (14.0, -2.0), (13.2, -0.6, 0.6), (11.4, -5.0), (6.4, -8.4), (0.0, -9.2),
))  # fmt: skip


def locks_of(character: Character) -> tuple[Lock, ...]:
    """Every hanging piece of a character's hair."""
    hair = character.hair
    return (*(lock for name in hair.extras for lock in EXTRAS[name]), *SIDES[hair.sides])


def hair_parts(
    character: Character, head: np.ndarray, yaw: np.ndarray, pitch: np.ndarray, springs: dict[str, np.ndarray]
) -> list[Part]:
    """All hair, in no particular order: the groups say where it goes.

    Args:
        character: whose.
        head: [T, 2, 3], head coordinates -> picture units.
        yaw, pitch: the head's turn, [T] radians.
        springs: ``hair`` and ``fringe``, [T, 2] picture units, where a hanging point is, less its root.
    """
    frames = len(head)
    drawings = hair_drawings(character)
    back = compose(head, place(frames, -2.0 * np.sin(yaw), -1.0 * pitch))
    parts = [Part("cap", "head", drawings["cap"], back)]
    if "bangs" in drawings:
        dome = compose(head, place(frames, 0.7 * np.sin(yaw), 2.2 * pitch))
        parts.append(Part("bangs", "bangs", drawings["bangs"], dome))
    for i, strand in enumerate(FRINGES[character.hair.fringe]):
        to_head = _strand_map(strand, yaw, pitch, springs["fringe"])
        parts.append(Part(f"bangs_{i}", "bangs", drawings[f"bangs_{i}"], compose(head, to_head)))
    if "gloss" in drawings:
        # It stays towards the light while the hair turns under it.
        shine = compose(head, place(frames, 1.6 * np.sin(yaw), 3.0 * pitch))
        parts.append(Part("gloss", "bangs", drawings["gloss"], shine, False))
    for i, lock in enumerate(locks_of(character)):
        to_head = _lock_map(lock, yaw, pitch, springs["hair"])
        parts.append(Part(f"lock_{i}", lock.slot, drawings[f"lock_{i}"], compose(head, to_head)))
    return parts


def _strand_map(strand: Strand, yaw: np.ndarray, pitch: np.ndarray, spring: np.ndarray) -> np.ndarray:
    """The tip goes round the head with the forehead; the root, near the crown, goes half as far."""
    root_x, _, tip_x, tip_y, _ = strand
    angle = np.arcsin(tip_x / _STRAND_RADIUS)
    turned = np.clip(angle + 0.9 * TURN * yaw, -1.45, 1.45)
    shift = _STRAND_RADIUS * (np.sin(turned) - np.sin(angle))
    narrow = np.clip(np.cos(turned) / np.cos(angle), 0.45, 1.15)
    length = tip_y - HAIRLINE
    shear = (0.55 * shift + 0.35 * spring[:, 0]) / length
    zero = np.zeros_like(yaw)
    origin = np.stack([root_x + 0.45 * shift - narrow * root_x - shear * HAIRLINE, 2.8 * pitch], axis=-1)
    grow = 1 + 0.1 * spring[:, 1] / length
    return affine(np.stack([narrow, zero], axis=-1), np.stack([shear, grow], axis=-1), origin)


def _lock_map(lock: Lock, yaw: np.ndarray, pitch: np.ndarray, spring: np.ndarray) -> np.ndarray:
    """A root on the head's cylinder; the lock leans and stretches about it."""
    behind = abs(lock.angle) > 2.3
    turned = lock.angle + (1.0 if behind else TURN) * yaw
    frames, wide = len(yaw), np.ones_like(yaw)
    x = lock.radius * np.sin(turned)
    if lock.slot == "front_hair":
        # Beside the face a lock shows its broad side when it is turned to the viewer; on the far side it stays
        # at the edge of the face, behind which it would vanish.
        beyond = np.clip(np.abs(turned) - np.pi / 2, 0.0, None)
        edge = np.sign(lock.angle) * (lock.radius + 2.6 * beyond)
        x = np.where(beyond > 0, edge, x)
        wide = 0.62 + 0.38 * np.clip(np.cos(turned), 0.0, 1.0) - 0.3 * beyond
    elif behind and lock.radius > 5.0:
        # A tail at the back of the head points to where the back of the head is.
        wide = np.clip(2.2 * np.sin(turned), -1.0, 1.0)
        wide = np.where(np.abs(wide) < 0.12, np.where(wide < 0, -0.12, 0.12), wide)
    length = max(max(abs(p[1]) for p in lock.points), 1.0)
    shear = lock.swing * 1.25 * spring[:, 0] / length
    stretch = 1 + abs(lock.swing) * 0.6 * spring[:, 1] / length
    y = lock.y + 4.0 * np.cos(turned) * pitch
    return place(frames, x, y, 0.0, wide, stretch, shear)


@lru_cache(maxsize=256)
def hair_drawings(character: Character) -> dict[str, Drawing]:
    """Drawing of every piece of hair by part name."""
    palette, pen = character.palette, Pen.of(character)
    hair = rgb(palette.hair)
    cap = smooth_closed(CAPS[character.hair.cap])
    drawings = {"cap": pen.surface(cap, palette.hair, 0.8)}
    if not character.face.muzzle:
        drawings["cap"] += flat(cap * [0.92, 0.92], shade_of(hair))
    strands = FRINGES[character.hair.fringe]
    if strands:
        drawings["bangs"] = pen.surface(smooth_closed(_DOME), palette.hair)
        drawings["gloss"] = _gloss(palette.hair)
        drawings["bangs"] += _parting(character)
    for i, strand in enumerate(strands):
        drawings[f"bangs_{i}"] = pen.surface(smooth_closed(_strand_outline(strand)), palette.hair, 1.0)
    for i, lock in enumerate(locks_of(character)):
        shape = smooth_closed(lock.points)
        colour = palette.hair if lock.colour == "hair" else palette.accent
        drawings[f"lock_{i}"] = pen.surface(shape, colour, 1.3)
        if lock.slot == "back_hair":
            drawings[f"lock_{i}"] += _underside(lock, hair)
        elif lock.slot == "behind_head":
            drawings[f"lock_{i}"] += flat(
                stroke(smooth_open([(-2.6, -1.6), (0.6, -2.9), (2.8, -1.2)]), (0.2, 0.7, 0.2)),
                _light(palette.hair),
            )
        elif lock.colour == "accent" and lock.radius > 5:
            size = 0.22 * max(p[0] for p in lock.points)
            drawings[f"lock_{i}"] += pen.detail(ellipse(0.0, 0.0, size, size, 14), colour, 0.3)
    return drawings


def _underside(lock: Lock, hair: tuple[float, float, float]) -> Drawing:
    """Long hair is darker where it hangs behind the neck; tails have strands along them."""
    dark = shade_of(hair)
    if lock.radius < 5.0:
        return flat(smooth_closed(lock.points) * [0.9, 1.0] - [0, 2.0], mix(hair, dark, 0.7))
    bottom = max(p[1] for p in lock.points)
    middle = 0.5 * (max(p[0] for p in lock.points) + min(p[0] for p in lock.points))
    line = smooth_open([(0.5 * middle, 0.0), (1.1 * middle, 0.35 * bottom), (0.9 * middle, 0.72 * bottom)])
    gleam = smooth_open(
        [(1.5 * middle, 0.08 * bottom), (1.9 * middle, 0.26 * bottom), (1.8 * middle, 0.42 * bottom)]
    )
    return flat(stroke(line, (0.2, 0.7, 0.15)), dark) + flat(
        stroke(gleam, (0.2, 0.9, 0.2)), mix(hair, (255, 244, 225), 0.4)
    )


def _strand_outline(strand: Strand) -> list[tuple[float, ...]]:
    x, half, tip_x, tip_y, curl = strand

    def side(sign: float, down: float) -> tuple[float, ...]:
        bend = 1 - down
        across = (
            bend * (x + sign * half)
            + down * tip_x
            + sign * 0.3 * half * bend * 2 * down
            - 1.4 * curl * down * bend
        )
        return across, HAIRLINE + down * (tip_y - HAIRLINE)

    left = [(0.75 * x - 0.8 * half, HAIRLINE - 3.2), side(-1.0, 0.05), side(-1.0, 0.55)]
    right = [side(1.0, 0.55), side(1.0, 0.05), (0.75 * x + 0.8 * half, HAIRLINE - 3.2)]
    return [*left, (tip_x + 0.4 * curl, tip_y, 1.0), *right]


def _light(colour: str) -> tuple[float, float, float]:
    return mix(rgb(colour), (255, 244, 225), 0.48)


def _gloss(colour: str) -> Drawing:
    """The ring of light on anime hair, broken into three strokes."""
    drawn = Drawing()
    for start, end in ((-10.4, -4.8), (-3.8, 2.4), (3.6, 6.4)):
        x = np.linspace(start, end, 5)
        line = smooth_open([(v, -11.6 + 0.028 * v * v) for v in x])
        drawn += flat(stroke(line, (0.15, 1.0, 1.2, 0.9, 0.15)), _light(colour))
    return drawn


def _parting(character: Character) -> Drawing:
    """Lines from the crown to the roots of the fringe."""
    hair = rgb(character.palette.hair)
    dark = mix(hair, shade_of(hair), 1.2)
    drawn = Drawing()
    roots = sorted(strand[0] for strand in FRINGES[character.hair.fringe])
    for x, beside in zip(roots, roots[1:], strict=False):
        notch = 0.5 * (x + beside)
        line = smooth_open([(notch, HAIRLINE + 0.6), (0.8 * notch, -11.4), (0.45 * notch, -13.6)])
        drawn += flat(stroke(line, (0.6, 0.42, 0.08)), dark)
    return drawn


def fringe_shadow(character: Character) -> np.ndarray:
    """The shadow of the fringe on the forehead, [N, 2] head coordinates, inside the face."""
    strands = sorted(FRINGES[character.hair.fringe], key=lambda strand: strand[2])
    edge = [(-10.4, -5.0)]
    for strand in strands:
        if abs(strand[2]) < 9.0:
            edge += [(strand[2] - 2.0, -5.6), (strand[2], min(strand[3] + 1.2, 0.6))]
    edge += [(10.4, -5.0), (9.4, -9.6), (0.0, -12.0), (-9.4, -9.6)]
    return np.array(edge)
