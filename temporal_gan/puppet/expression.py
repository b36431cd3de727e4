"""Expression tracks of training clips: classes rise, hold, change and fall, with controls moving on top.

``auto:happy`` rises, holds and often falls; ``auto:happy>sad`` changes inside the clip; controls may be asked for on
top of either, ``auto:happy+jawOpen:0.4``, and blinks, lip flap, brows and smiles come by themselves.
"""

import numpy as np

from ..errors import UserError
from ..expressions import CLASSES, CONTROLS, EXPRESSIONS, expression_track, expression_vector
from ..rng import numpy_generator

AUTO = "auto:"
_BLINK_SEC = 0.2
_FLICKERS = (("browInnerUp", 0.3, 0.5), ("browDown", 0.2, 0.4), ("mouthSmile", 0.25, 0.4))
"""Control, how often a clip has one, how strong at most: faces move without a reason."""


def puppet_expression(spec: str, frames: int, fps: float, seed: int) -> np.ndarray:
    """Expression specification -> float32 [T, E] in the order of expressions.EXPRESSIONS.

    Args:
        spec: ``auto:CLASS``, ``auto:CLASS>CLASS`` (any number), each with ``+CONTROL:VALUE`` behind it, for a
            generated track; or anything :func:`temporal_gan.expressions.expression_track` takes, which is followed
            to the letter.
        frames: T, at least 1.
        fps: frames per second.
        seed: timing and strength of a generated track.
    Raises:
        UserError: the specification is wrong.
    """
    if not spec.startswith(AUTO):
        return expression_track(spec, frames, fps)
    classes, *controls = spec.removeprefix(AUTO).split("+")
    names = [name.strip() for name in classes.split(">")]
    for name in names:
        if name not in CLASSES:
            raise UserError(f"puppet expression {spec!r}: {name!r} is not one of: {', '.join(CLASSES)}")
    track = generated_track(tuple(names), frames, fps, seed)
    for text in controls:
        column, value = _control(text, spec)
        track[:, column] = np.maximum(track[:, column], value)
    return track


def generated_track(names: tuple[str, ...], frames: int, fps: float, seed: int) -> np.ndarray:
    """Classes one after the other, with blinks, lip flap and flickers of the brows on top -> float32 [T, E].

    A class eases in within 0.2 to 0.4 s, holds, and eases out within 0.25 to 0.45 s (the last one in two clips of
    five only); two that follow each other pass into each other within 0.3 to 0.5 s.

    Args:
        names: classes, at least one; they share the clip about equally.
        frames: T, at least 1.
        fps: frames per second.
        seed: strengths and times.
    """
    random = numpy_generator(seed, "puppet", "expression", *names)
    time = np.arange(frames) / fps
    length = frames / fps
    onset, rise = random.uniform(-0.3, 0.3) * min(length, 2.0) / len(names), random.uniform(0.2, 0.4)
    leaves = random.uniform() < 0.4
    offset = (
        max(random.uniform(0.6, 0.9) * length, onset + rise + 0.2) if leaves and len(names) == 1 else np.inf
    )
    shown = _ease((time - onset) / rise) * (1 - _ease((time - offset) / random.uniform(0.25, 0.45)))
    neutral = expression_vector({})
    track = np.tile(neutral, (frames, 1)).astype(float)
    for i, name in enumerate(names):
        amount = random.uniform(0.65, 1.0) * shown
        share = length / len(names)
        starts = i * share + random.uniform(-0.12, 0.12) * share
        passing = min(random.uniform(0.3, 0.5), 0.8 * share)
        here = neutral + amount[:, None] * (expression_vector({name: 1.0}) - neutral) * (name != "neutral")
        weight = _ease((time - starts) / passing + 0.5)[:, None] if i else np.ones((frames, 1))
        track = (1 - weight) * track + weight * here
    blink = _blinks(time, random)
    for control in ("eyeBlinkLeft", "eyeBlinkRight"):
        _raise(track, control, blink)
    if random.uniform() < 0.35:
        _raise(track, "jawOpen", _lip_flap(time, random))
    for control, chance, strongest in _FLICKERS:
        if random.uniform() < chance:
            start, hold = random.uniform(0.0, 0.8) * length, random.uniform(0.2, 0.6)
            flicker = _ease((time - start) / 0.18) * (1 - _ease((time - start - hold) / 0.3))
            _raise(track, control, random.uniform(0.15, strongest) * flicker)
    return track.astype(np.float32)


def _raise(track: np.ndarray, control: str, values: np.ndarray) -> None:
    column = EXPRESSIONS.index(control)
    track[:, column] = np.maximum(track[:, column], values)


def _control(text: str, spec: str) -> tuple[int, float]:
    name, _, amount = text.strip().partition(":")
    if name not in CONTROLS:
        raise UserError(f"puppet expression {spec!r}: control {name!r} is not one of: {', '.join(CONTROLS)}")
    try:
        value = float(amount) if amount else 1.0
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise UserError(f"puppet expression {spec!r}: {name} is {amount!r}, expected a number from 0 to 1")
    return EXPRESSIONS.index(name), value


def with_heavy_lids(track: np.ndarray, drowsy: np.ndarray) -> np.ndarray:
    """A track [T, E] in which the eyes close at least as far as ``drowsy`` [T] says.

    An amplitude above 1 may have taken ``drowsy`` beyond 1.
    """
    track = track.copy()
    for control in ("eyeBlinkLeft", "eyeBlinkRight"):
        column = EXPRESSIONS.index(control)
        track[:, column] = np.maximum(track[:, column], np.clip(drowsy, 0.0, 1.0))
    return track


def _ease(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3 - 2 * x))


def _blinks(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    closed = np.zeros_like(time)
    at = random.uniform(0.1, 2.2)
    while at < time[-1] + _BLINK_SEC:
        # Lids close faster than they open.
        x = time - at
        closed = np.maximum(
            closed, np.where(x < 0, _ease(1 + x / (0.4 * _BLINK_SEC)), _ease(1 - x / (0.6 * _BLINK_SEC)))
        )
        at += random.uniform(1.6, 3.8)
    return closed


def _lip_flap(time: np.ndarray, random: np.random.Generator) -> np.ndarray:
    start, length = random.uniform(0.0, 0.4) * time[-1], random.uniform(0.5, 1.2)
    inside = _ease((time - start) / 0.12) * (1 - _ease((time - start - length) / 0.12))
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * random.uniform(3.5, 5.0) * (time - start))
    return np.asarray(inside * syllables * random.uniform(0.35, 0.65))
