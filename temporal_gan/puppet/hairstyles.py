"""Hair as data: caps, fringes, side locks and extras that any character can combine.

Head coordinates: the origin is mid-head, the face 23 wide, its chin at y = 12.5, the crown at y = -15. A lock hangs
from a root on an upright cylinder around the head; its own points are relative to the root.
"""

from dataclasses import dataclass
from typing import Literal

from .character import Control


@dataclass(frozen=True)
class Lock:
    """A hanging piece of hair.

    Attributes:
        points: closed outline, relative to the root.
        angle: where its root is around the head, radians, 0 the face, positive the character's left.
        radius: how far its root is from the head's axis.
        y: height of the root.
        swing: how far it sways; 1 follows the spring.
        slot: drawn behind the body, behind the head, beside the face, or on top of the head.
        colour: of the hair, or the accent (ribbons).
    """

    points: Control
    angle: float
    radius: float
    y: float
    swing: float
    slot: Literal["back_hair", "behind_head", "front_hair", "top"]
    colour: Literal["hair", "accent"] = "hair"


def both(half: Control) -> Control:
    """The right half (x >= 0, top to bottom) and its mirror image."""
    return (*half, *((-p[0], *p[1:]) for p in reversed(half) if p[0] != 0))


def other(lock: Lock) -> Lock:
    """The same lock on the other side."""
    return Lock(
        tuple((-p[0], *p[1:]) for p in lock.points), -lock.angle, lock.radius, lock.y, lock.swing, lock.slot,
        lock.colour,
    )  # fmt: skip


def pair(lock: Lock) -> tuple[Lock, ...]:
    """A lock on the character's left and one on its right."""
    return other(lock), lock


CAPS: dict[str, Control] = {
    "round": both(((0, -15.2), (7.5, -13.7), (12.6, -8.4), (14.2, 0.0), (13.0, 6.5), (9.0, 9.5), (0, 10.0))),
    "bob": both((
        (0, -15.2), (7.6, -13.7), (12.9, -8.4), (14.8, 0.0), (15.4, 7.0), (14.4, 11.8), (11.4, 13.2, 0.6),
        (9.0, 11.0), (0, 11.0),
    )),
    "fluffy": both((
        (0, -15.8), (5.0, -15.6), (8.4, -13.6), (12.4, -11.6), (13.6, -7.2), (15.6, -3.0), (14.8, 1.6),
        (15.6, 5.8), (13.0, 9.0), (9.0, 10.6), (0, 11.0),
    )),
    "spiky": both((
        (0, -15.0), (3.2, -19.0, 1), (5.6, -14.6, 0.5), (10.6, -16.2, 1), (11.2, -10.8, 0.5), (16.6, -9.6, 1),
        (13.8, -4.4, 0.5), (17.4, -0.4, 1), (13.6, 2.4, 0.5), (15.4, 7.4, 1), (11.6, 8.2, 0.5), (8.0, 10.8),
        (0, 10.0),
    )),
    "bald": both(((0, -13.6), (6.8, -12.2), (11.0, -7.4), (12.6, 0.0), (13.4, 4.0), (11.6, 8.4),
        (7, 9.5), (0, 9.5))),
    "fur": both((
        (0, -13.9), (7.5, -12.6), (12.0, -7.5), (13.2, -1.0), (13.6, 2.2), (16.2, 5.4, 1.0), (13.8, 6.2, 0.5),
        (15.4, 9.6, 1.0), (12.0, 9.6, 0.5), (11.8, 12.4, 1.0), (7.0, 11.8), (0, 12.2),
    )),
    "plush": both(((0, -14.2), (7.6, -12.8), (12.4, -7.6), (13.8, -0.5), (13.9, 5.0), (11.4, 10.2),
        (6.0, 12.8), (0, 13.2))),
}  # fmt: skip

Strand = tuple[float, float, float, float, float]
"""A strand of the fringe: root x, half width at the hairline, x and y of its tip, curl of the tip to the right."""

FRINGES: dict[str, tuple[Strand, ...]] = {
    "straight": ((-8.4, 3.6, -8.9, -0.6, 0.5), (-4.3, 3.0, -4.5, -1.2, 0.4), (8.4, 3.6, 8.9, -0.6, -0.5),
                 (4.3, 3.0, 4.5, -1.2, -0.4), (0.0, 2.8, 0.3, -0.8, 0.0)),
    "parted": ((-8.8, 3.2, -11.0, 2.6, 0.8), (-4.6, 3.6, -8.4, 0.2, 0.8), (9.0, 3.2, 11.0, 2.6, -0.8),
               (5.4, 3.8, 8.2, 0.4, -0.8), (-0.6, 2.8, -3.4, -2.6, 0.8), (2.2, 2.4, 4.0, -3.4, -0.8)),
    "swept": ((9.2, 3.0, 11.2, 1.8, -0.6), (-9.2, 3.2, -9.6, 1.4, 1.4), (-5.6, 3.6, -3.2, 0.6, 1.6),
              (-1.4, 3.6, 2.2, -0.4, 1.6), (4.2, 3.8, 7.6, -0.8, 1.4)),
    "jagged": ((-9.2, 2.6, -11.2, 0.8, 0.0), (-6.0, 2.8, -7.4, -1.6, 0.0), (9.2, 2.6, 11.2, 0.8, 0.0),
               (6.0, 2.8, 7.2, -2.4, 0.0), (-2.4, 2.8, -3.0, -0.2, 0.3), (2.2, 2.8, 1.8, -1.4, -0.3)),
    "wisp": ((-9.0, 2.4, -10.8, -1.2, 0.6), (9.0, 2.4, 10.8, -1.2, -0.6), (-5.0, 2.8, -6.6, -5.0, 0.4),
             (5.0, 2.8, 6.6, -5.0, -0.4), (0.6, 2.6, -2.6, 0.6, 1.2)),
    "back": ((-9.4, 2.2, -11.2, -2.4, 0.6), (9.4, 2.2, 11.2, -2.4, -0.6), (-5.2, 2.8, -6.6, -5.6, 0.6),
             (5.2, 2.8, 6.6, -5.6, -0.6)),
    "tuft": ((-2.4, 2.4, -3.6, -4.8, 0.4), (2.2, 2.4, 3.2, -5.6, -0.4), (0.0, 2.4, -0.4, -3.4, 0.6)),
    "none": (),
}  # fmt: skip

_TEMPLE = pair(Lock(
    ((-4.4, -6.0), (3.4, -6.0), (4.2, 0.0), (3.8, 7.0), (1.4, 9.4), (-2.4, 8.4), (-4.2, 3.0)),
    1.45, 12.6, 0.0, 0.1, "front_hair",
))  # fmt: skip
"""Hair over the ears."""

SIDES: dict[str, tuple[Lock, ...]] = {
    "none": (),
    "short": pair(Lock(
        ((-1.8, -5.0), (1.8, -5.0), (1.9, 0.0), (1.2, 3.4), (0.3, 6.0, 1.0), (-1.0, 3.2), (-1.8, 0.0)),
        1.02, 12.6, -3.0, 0.2, "front_hair",
    )),
    "temple": _TEMPLE,
    "locks": _TEMPLE + pair(Lock(
        ((-2.4, -5.0), (2.0, -5.0), (2.8, 1.0), (2.7, 7.0), (1.7, 13.0), (0.3, 18.5, 1.0), (-1.0, 13.0),
         (-1.9, 7.0), (-2.4, 1.0)),
        1.2, 12.6, -3.0, 0.6, "front_hair",
    )),
    "curtain": _TEMPLE + pair(Lock(
        ((-2.8, -5.0), (2.2, -5.0), (3.4, 2.0), (3.8, 9.0), (3.2, 14.6, 0.6), (0.2, 15.6), (-2.2, 14.0, 0.7),
         (-2.0, 7.0), (-2.9, 1.0)),
        1.2, 12.8, -3.0, 0.45, "front_hair",
    )),
    "wild": pair(Lock(
        ((-2.2, -5.0), (2.0, -5.0), (3.0, 0.0), (4.6, 3.4, 1.0), (2.4, 4.4), (3.6, 8.6, 1.0), (1.0, 7.0),
         (-0.6, 10.0, 1.0), (-1.4, 5.0), (-2.4, 0.0)),
        1.2, 12.8, -2.0, 0.3, "front_hair",
    )),
}  # fmt: skip

_LONG: Control = both((
    (0, -7.0), (9.0, -6.0), (13.8, 0.0), (15.0, 8.0), (14.6, 16.0), (16.2, 24.5, 1.0), (11.6, 23.0),
    (9.4, 28.5, 1.0), (5.4, 24.8), (2.6, 29.0, 1.0), (0, 25.5),
))  # fmt: skip
_HIME: Control = both((
    (0, -7.0), (9.0, -6.0), (13.8, 0.0), (14.8, 9.0), (14.9, 19.0), (14.3, 28.0, 0.8), (7.0, 28.9), (0, 29.2),
))  # fmt: skip
_TAIL: Control = (
    (-1.6, -2.4), (1.8, -2.4), (4.8, 1.0), (6.0, 8.0), (5.2, 15.0), (2.4, 22.0, 1.0), (1.4, 17.0),
    (-1.4, 20.0, 1.0), (-1.8, 13.0), (-2.4, 6.0), (-2.6, 1.0),
)  # fmt: skip
_RIBBON: Control = (
    (0.0, -0.8), (2.4, -3.4), (5.2, -3.6), (5.4, 0.2), (4.6, 3.0), (2.2, 1.8), (0.0, 0.8), (-2.2, 1.8),
    (-4.6, 3.0), (-5.4, 0.2), (-5.2, -3.6), (-2.4, -3.4),
)  # fmt: skip
_BALL: Control = (
    (0, -5.0),
    (3.6, -3.6),
    (5.0, 0),
    (3.6, 3.6),
    (0, 5.0),
    (-3.6, 3.6),
    (-5.0, 0),
    (-3.6, -3.6),
)

EXTRAS: dict[str, tuple[Lock, ...]] = {
    "long": (Lock(_LONG, 3.14159, 3.0, -2.0, 1.0, "back_hair"),),
    "hime": (Lock(_HIME, 3.14159, 3.0, -2.0, 0.8, "back_hair"),),
    "ponytail": (
        Lock(
            ((-1.6, -1.0), (0.0, -5.4), (5.0, -7.6), (9.6, -4.6), (11.6, 3.0), (11.0, 12.0),
                (8.4, 20.0), (4.6, 27.0, 1.0),
             (5.0, 19.0), (1.4, 23.0, 1.0), (2.6, 12.0), (1.6, 4.0)),
            2.75, 13.6, -6.5, 1.0, "back_hair",
        ),
    ),
    "low_tail": (
        Lock(
            ((-2.0, -3.0), (2.0, -3.0), (3.6, 3.0), (3.4, 12.0), (1.2, 22.0, 1.0), (-1.6, 19.0),
                (-3.2, 12.0), (-3.6, 3.0)),
            2.5, 13.0, 7.0, 1.0, "back_hair",
        ),
    ),
    "twin_tails": pair(Lock(_TAIL, 1.75, 15.2, -7.6, 1.1, "back_hair")),
    "plaits": pair(Lock(
        ((-1.6, -1.6), (1.6, -1.6), (2.5, 1.6), (1.4, 4.0, 0.8), (2.6, 6.6), (1.4, 9.0, 0.8), (2.4, 11.6),
         (1.0, 14.0, 0.8), (1.6, 17.0), (0.0, 20.0, 1.0), (-1.6, 17.0), (-1.0, 14.0, 0.8), (-2.4, 11.6),
         (-1.4, 9.0, 0.8), (-2.6, 6.6), (-1.4, 4.0, 0.8), (-2.5, 1.6)),
        1.35, 13.4, 6.0, 0.9, "front_hair",
    )),
    "buns": pair(Lock(_BALL, 2.1, 11.6, -13.6, 0.12, "behind_head")),
    "top_bun": (Lock(_BALL, 3.14159, 2.0, -16.6, 0.12, "behind_head"),),
    "cowlick": (Lock(
        ((-0.5, 0.9), (-0.5, -1.6), (0.8, -3.9), (4.0, -5.0, 1.0), (1.7, -2.9), (0.7, -1.0), (0.7, 0.9)),
        0.2, 3.0, -14.4, -0.5, "top",
    ),),
    "bow": (Lock(tuple((0.85 * p[0] + 0.5 * p[1], -0.5 * p[0] + 0.85 * p[1], *p[2:]) for p in _RIBBON),
                 -0.82, 13.2, -11.0, 0.05, "top", "accent"),),
    "ribbons": pair(Lock(tuple((0.62 * p[0], 0.62 * p[1], *p[2:]) for p in _RIBBON),
        1.55, 14.0, -8.0, 0.1, "top", "accent")),
    "band": (Lock(both(((0, -1.5), (6.6, -0.2), (11.4, 5.0), (12.6, 9.4), (11.0, 9.4), (9.8, 5.8),
        (5.8, 1.6), (0, 0.4))),
                  0.0, 1.0, -14.0, 0.0, "top", "accent"),),
}  # fmt: skip
