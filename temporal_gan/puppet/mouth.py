"""The mouth over time: one opening that smiles, frowns, gapes, clenches its teeth or wavers."""

import numpy as np

from .character import Character
from .drawing import Drawing, Paint, line_of, mix, rgb
from .mood import Mood
from .shapes import stroke

_S = np.linspace(-1.0, 1.0, 17)
"""From the corner on the viewer's left to the other one."""


def mouth_drawing(character: Character, mood: Mood) -> tuple[Drawing, np.ndarray]:
    """A mouth in its own coordinates.

    Corners up for a smile, down for a frown; a round O of surprise; bared teeth of anger; a wavy line of fear and
    embarrassment; a crooked one of disgust with the tongue out; a cat's mouth under a muzzle.

    Returns:
        the drawing, and four points [T, 4, 2]: left corner, middle above, right corner, middle below.
    """
    s = _S
    smile, jaw, frown = (v[:, None] for v in (mood.smile, mood.jaw, mood.frown))
    angry, surprised, scared = (v[:, None] for v in (mood.angry, mood.surprised, mood.scared))
    disgusted, shy, happy = (v[:, None] for v in (mood.disgusted, mood.embarrassed, mood.happy))
    half = 1.8 + 1.5 * smile + 0.35 * frown + 1.1 * angry + 0.05 * surprised - 0.2 * jaw * (1 - smile)
    half = half + 1.2 * scared + 0.5 * shy + 0.2 * disgusted
    bend = 0.35 + 1.35 * smile - 2.1 * frown * (1 - 0.35 * angry) - 0.5 * surprised
    opened = jaw * (3.7 + 2.0 * smile + 0.6 * surprised - 1.6 * scared) + 1.7 * angry * (1 - 0.5 * jaw)
    opened = opened + 0.9 * happy + 1.5 * disgusted
    waver = (0.62 * scared + 0.55 * shy + 0.12 * disgusted) * np.sin(2.6 * np.pi * s) * (1 - 0.3 * jaw)
    crooked = disgusted * (0.55 * s - 0.2)
    upper = (
        bend * (0.4 - s**2) * (1 - 0.35 * jaw)
        - 0.32 * opened
        + waver
        + crooked
        - 1.1 * surprised * jaw * (1 - s**2)
    )
    if character.face.muzzle:
        cat = np.clip((1 - 0.7 * frown) * (1 - 0.6 * jaw) * (1 - 0.9 * surprised) * (1 - shy), 0.0, 1.0)
        upper = upper + 0.75 * cat * (np.abs(np.sin(np.pi * s)) - 0.5)
    round_off = (1 - s**2) ** (0.8 - 0.32 * np.minimum(surprised + 0.9 * angry, 1.0))
    lower = upper + opened * round_off + 0.4 * scared * waver * (jaw > 0)
    x = half * s

    def at(y: np.ndarray, narrow: float = 1.0) -> np.ndarray:
        y = np.broadcast_to(y, (len(mood.jaw), len(s)))
        return np.stack([narrow * np.broadcast_to(x, y.shape), y], axis=-1)

    top, base = at(upper), at(lower)
    tongue = np.concatenate([at(lower - 0.45 * opened * round_off, 0.72), at(lower, 0.72)[:, ::-1]], axis=1)
    teeth = np.clip(0.26 * smile + angry + 0.35 * scared, 0.0, 1.0)
    biting = np.concatenate([at(upper, 0.94), at(upper + teeth * opened * round_off, 0.94)[:, ::-1]], axis=1)
    seam = upper + 0.5 * opened * round_off
    clench = np.clip(angry, 0.0, 1.0)
    ink = mix(line_of(rgb(character.palette.skin)), (70, 20, 24), 0.4)
    paints = [
        Paint(np.concatenate([top, base[:, ::-1]], axis=1), (132.0, 38.0, 50.0)),
        Paint(tongue, (240.0, 124.0, 126.0)),
        Paint(biting, (255.0, 253.0, 250.0)),
    ]
    if clench.max() > 0:
        # The seam between clenched rows of teeth, and three gaps.
        rows = np.concatenate([at(seam - 0.13 * clench, 0.9), at(seam + 0.13 * clench, 0.9)[:, ::-1]], axis=1)
        paints.append(Paint(rows, ink))
        for i in (5, 8, 11):
            across = np.array([-0.12, 0.12])[None] * clench
            ends = [np.stack([x[:, i, None] + across, np.broadcast_to(y[:, i, None], across.shape)], -1)
                    for y in (upper, upper + clench * (lower - upper))]  # fmt: skip
            paints.append(Paint(np.concatenate([ends[0], ends[1][:, ::-1]], axis=1), ink))
    paints.append(Paint(stroke(base, (0.32, 0.52, 0.32)), ink))
    if mood.disgusted.max() > 0:
        # Out over the lower lip, from its middle.
        around = np.linspace(0.0, 2 * np.pi, 14, endpoint=False)
        out = np.sqrt(disgusted)
        tip = np.stack(
            [1.15 * out * np.cos(around), lower[:, 8:9] + out * (0.9 + 1.5 * np.sin(around))], axis=-1
        )
        paints += [Paint(stroke(tip, (0.5, 0.5)), ink), Paint(tip, (240.0, 124.0, 126.0))]
    paints += [
        Paint(stroke(top, (0.42, 0.66, 0.66, 0.42)), ink),
    ]
    points = np.stack([top[:, 0], top[:, 8], top[:, 16], base[:, 8]], axis=1)
    return Drawing((), tuple(paints)), points
