"""What a character is made of, as data: proportions, colours, and the names of hair, clothes, ears and tail."""

from dataclasses import dataclass

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

    @staticmethod
    def of(colours: str) -> "Palette":
        """From colours separated by spaces, in the order above; the blush may be left out."""
        return Palette(*colours.split())


@dataclass(frozen=True)
class Body:
    """Lengths in picture units (the frame is 93 high). A standing character is about 72 high.

    ``crown`` is how far hair or ears rise above the middle of the head, in head coordinates: the room a jump needs.
    """

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
    belly: float = 0.0
    crown: float = 16.0


@dataclass(frozen=True)
class Hair:
    """A hair style, each piece by its name in :mod:`.hairstyles`.

    Attributes:
        cap: the mass of hair behind the face.
        fringe: the strands over the forehead.
        sides: what hangs before the ears.
        extras: tails, buns, plaits, a cowlick, a bow.
    """

    cap: str
    fringe: str
    sides: str
    extras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Face:
    """The drawing of a face, in head coordinates (the face is 23 wide).

    Attributes:
        eye_half, eye_height: half width and half height of an open eye.
        tilt: how much the outer corner is higher than the inner one; droopy eyes are negative.
        lashes: thickness of the upper lid's line, 1 as usual.
        brow_width: thickness of the brows, 1 as usual.
        muzzle: a snout with a nose; whiskers on it.
        old: lines beside the nose and under the eyes.
        glasses, freckles: worn or not.
    """

    eye_half: float = 3.2
    eye_height: float = 4.2
    tilt: float = 0.5
    lashes: float = 1.0
    brow_width: float = 1.0
    muzzle: bool = False
    whiskers: bool = False
    old: bool = False
    glasses: bool = False
    freckles: bool = False


@dataclass(frozen=True)
class Outfit:
    """Clothes: ``top`` is a name in tops.TOPS, ``bottom`` one in bottoms.BOTTOMS.

    Attributes:
        sleeve: length in upper arms; above 1 down to the wrist.
        sock_from: fraction of the shin above the sock; 1 for bare legs.
    """

    top: str
    bottom: str
    sleeve: float = 0.72
    sock_from: float = 1.0


@dataclass(frozen=True)
class Tail:
    """A tail of as many segments as there are radii less one; the last ``tip`` of them in the accent colour."""

    radii: tuple[float, ...]
    tip: int = 0


@dataclass(frozen=True)
class Character:
    """Everything that tells one character from another. See :data:`.cast.CHARACTERS`.

    Attributes:
        name: unique.
        palette, body, hair, face, outfit: see there.
        ears: ``human`` or a name in animal.EARS.
        tail: None for none.
        line: thickness of the ink, 1 as usual.
        shading: depth of the shade, 1 as usual.
    """

    name: str
    palette: Palette
    hair: Hair
    outfit: Outfit
    body: Body = Body()
    face: Face = Face()
    ears: str = "human"
    tail: Tail | None = None
    line: float = 1.0
    shading: float = 1.0
