"""Characters as data: proportions, colours, hair, ears, tail, clothes. A new one is a new entry here."""

from dataclasses import dataclass
from typing import Literal

from ..errors import UserError

Control = tuple[tuple[float, ...], ...]
"""Control points (x, y) or (x, y, sharpness) of a closed curve."""


@dataclass(frozen=True)
class Palette:
    """Colours as #rrggbb."""

    skin: str
    hair: str
    eye: str
    top: str
    trim: str
    accent: str
    bottom: str
    sock: str
    shoe: str
    sole: str
    blush: str = "#f7a39c"


@dataclass(frozen=True)
class Body:
    """Lengths in picture units (the frame is 93 high). A standing character is about 72 high."""

    thigh: float = 11.5
    shin: float = 11.5
    sole: float = 2.3
    torso: float = 16.0
    upper_arm: float = 8.6
    forearm: float = 7.6
    hand: float = 2.1
    shoulder_half: float = 5.4
    hip_half: float = 3.0
    arm_radius: float = 1.55
    leg_radius: float = 2.5
    head_scale: float = 1.0


@dataclass(frozen=True)
class Lock:
    """A piece of hair hanging from the head, in head coordinates (origin mid-head, the face about 23 wide).

    Attributes:
        points: closed outline.
        root_y: y that does not move when the lock sways.
        swing: how far it sways, 1 as much as the head's own motion throws it.
        depth: parallax when the head turns, -1 the back of the head, 1 its front.
        behind: drawn behind the body instead of in front of the face.
    """

    points: Control
    root_y: float
    swing: float
    depth: float
    behind: bool = False


@dataclass(frozen=True)
class Character:
    """Everything that tells one character from another. See :data:`CHARACTERS`.

    Attributes:
        name: key in CHARACTERS.
        palette: colours.
        cap: outline of the hair behind the face, in head coordinates; cheek fur too.
        bangs: outline of the hair in front of the forehead.
        locks: hanging hair.
        body: lengths.
        muzzle: a snout with a nose, whiskers and a cat's mouth.
        sleeve: length in upper arms; above 1 down to the wrist.
        sock_from: fraction of the shin above the sock; 1 for bare legs.
        brow_width, eye_height: the face, relative and in head coordinates.
    """

    name: str
    palette: Palette
    cap: Control
    bangs: Control
    locks: tuple[Lock, ...]
    body: Body = Body()
    ears: Literal["human", "cat"] = "human"
    tail: bool = False
    muzzle: bool = False
    bottom: Literal["skirt", "shorts"] = "skirt"
    collar: Literal["sailor", "hood"] = "sailor"
    sleeve: float = 0.72
    sock_from: float = 0.45
    bow: bool = False
    brow_width: float = 1.0
    eye_height: float = 4.1


def _both(half: Control) -> Control:
    """The right half (x >= 0, top to bottom) and its mirror image."""
    return (*half, *((-p[0], *p[1:]) for p in reversed(half) if p[0] != 0))


def _other_side(points: Control) -> Control:
    return tuple((-p[0], *p[1:]) for p in points)


_SIDE_LOCK: Control = (
    (10.6, -7.0), (13.3, -4.0), (14.0, 3.0), (13.4, 10.0), (12.2, 15.5, 1.0), (10.9, 11.0),
    (10.6, 5.0), (10.2, 0.0),
)  # fmt: skip

CHARACTERS: dict[str, Character] = {
    "hana": Character(
        name="hana",
        palette=Palette(
            skin="#ffe3d0", hair="#9a5b4f", eye="#2f8f9d", top="#fbfaf7", trim="#3b4a7d", accent="#e2504f",
            bottom="#3f4f86", sock="#fdfdfd", shoe="#7a4636", sole="#47291f",
        ),
        cap=_both(((0, -15.2), (7.5, -13.6), (12.6, -8.0), (14.0, 0.0), (13.2, 8.0), (9.0, 11.5), (0, 12.0))),
        bangs=(
            (0.0, -15.4), (7.6, -13.9), (12.6, -8.6), (13.4, -2.5), (12.0, 2.5, 1.0), (10.4, -3.6, 0.7),
            (8.0, -0.6, 1.0), (5.6, -5.4, 0.7), (3.0, -1.2, 1.0), (0.7, -6.2, 0.7), (-2.6, -0.8, 1.0),
            (-4.9, -5.4, 0.7), (-8.2, -0.6, 1.0), (-10.4, -3.8, 0.7), (-12.0, 2.5, 1.0), (-13.4, -2.5),
            (-12.6, -8.6), (-7.6, -13.9),
        ),
        locks=(
            Lock(_both(((0, -9.0), (9.0, -8.0), (13.8, -2.0), (15.0, 6.0), (14.6, 14.0), (16.4, 22.5, 1.0),
                        (11.6, 21.0), (9.4, 26.5, 1.0), (5.4, 22.8), (2.6, 27.0, 1.0), (0, 23.5))),
                 root_y=-2.0, swing=1.0, depth=-0.35, behind=True),
            Lock(_SIDE_LOCK, root_y=-4.0, swing=0.8, depth=0.12),
            Lock(_other_side(_SIDE_LOCK), root_y=-4.0, swing=0.8, depth=0.12),
        ),
        bow=True,
    ),
    "miko": Character(
        name="miko",
        palette=Palette(
            skin="#fbd9a8", hair="#e08a3e", eye="#4f9d4a", top="#5fb3a8", trim="#3f8d86", accent="#fff3dc",
            bottom="#54607c", sock="#fbd9a8", shoe="#c9524a", sole="#fff3dc", blush="#f58f7c",
        ),
        cap=_both(((0, -13.9), (7.5, -12.6), (12.0, -7.5), (13.2, -1.0), (13.6, 2.2), (16.2, 5.4, 1.0),
                   (13.8, 6.2, 0.5), (15.4, 9.6, 1.0), (12.0, 9.6, 0.5), (11.8, 12.4, 1.0), (7.0, 11.8),
                   (0, 12.2))),
        bangs=(
            (0.0, -14.6), (7.4, -13.3), (11.8, -8.4), (12.4, -3.5, 0.9), (9.6, -7.2, 0.6), (7.0, -3.4, 1.0),
            (4.4, -7.6, 0.6), (1.0, -2.2, 1.0), (-1.6, -7.6, 0.6), (-5.6, -3.0, 1.0), (-8.2, -7.2, 0.6),
            (-12.4, -3.5, 0.9), (-11.8, -8.4), (-7.4, -13.3), (-3.6, -14.2), (-1.2, -17.4, 1.0),
        ),
        locks=(),
        ears="cat",
        tail=True,
        muzzle=True,
        bottom="shorts",
        collar="hood",
        sleeve=2.0,
        sock_from=1.0,
        brow_width=1.15,
        eye_height=4.0,
    ),
}  # fmt: skip


def find_character(name: str) -> Character:
    """The character of this name. Raises UserError listing the valid names."""
    if name not in CHARACTERS:
        raise UserError(f"puppet character {name!r} is not one of: {', '.join(CHARACTERS)}")
    return CHARACTERS[name]
