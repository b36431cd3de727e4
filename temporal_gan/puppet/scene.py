"""A specification made visible: figure, background and camera over time, and everything that is true of them."""

from dataclasses import dataclass, fields, replace

import numpy as np

from .affine import apply, compose
from .background import background_parts
from .camera import Camera
from .drawing import Drawing, Paint, Part
from .rig import PICTURE, Rig


@dataclass(frozen=True)
class Scene:
    """What is drawn, and its labels.

    Attributes:
        parts: the figure's, then the background's.
        order: int64 [T, P], indices of the parts back to front.
        keypoints: float64 [T, 25, 2], canonical25, fractions of width and height.
        confidence: float64 [T, 25], 1 visible, 0.5 behind another part, 0 out of the frame.
        layer: int64 [T, 25], 0 nearest.
        expression: float32 [T, E] in the order of expressions.EXPRESSIONS.
        time: float32 [T], seconds.
        hold: int64 [T], the same for frames that show the same drawing.
        face_points: float64 [T, 28, 2], fractions of width and height, or None.
        face_visible: bool [T, 28], neither covered nor out of the frame, or None.
    """

    parts: tuple[Part, ...]
    order: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    expression: np.ndarray
    time: np.ndarray
    hold: np.ndarray
    face_points: np.ndarray | None
    face_visible: np.ndarray | None


def build_scene(
    rig: Rig,
    expression: np.ndarray,
    time: np.ndarray,
    hold: np.ndarray,
    travel: np.ndarray,
    background: str,
    camera: Camera,
    seed: int,
) -> Scene:
    """Put a posed figure before a background and a camera.

    Args:
        rig: the figure.
        expression, time, hold: as in :class:`Scene`.
        travel: float [T], how far it has walked over the ground, picture units.
        background: one of background.BACKGROUNDS.
        camera: moves the figure and, by its distance, every layer of the background.
        seed: of the background.
    Raises:
        UserError: no such background.
    """
    stage = camera.maps()
    behind = background_parts(background, camera, travel, seed)
    parts, points, face, face_seen = rig.parts, rig.keypoints, rig.face_points, rig.face_visible
    if not camera.is_still():
        parts = tuple(replace(part, to_picture=compose(stage, part.to_picture)) for part in parts)
        points = apply(stage, points * PICTURE) / PICTURE
        face = None if face is None else apply(stage, face * PICTURE) / PICTURE
    if face is not None and face_seen is not None:
        face_seen = face_seen & ~_outside(face)
    count, frames = len(parts), len(points)
    order = np.concatenate(
        [np.broadcast_to(np.arange(count, count + len(behind)), (frames, len(behind))), rig.order],
        axis=1,
    )
    outside = _outside(points)
    # Stores take no joint further out; nobody reads the place of a joint of confidence 0.
    points = np.where(outside[..., None], np.clip(points, -0.5, 1.5), points)
    confidence = np.where(outside, 0.0, rig.confidence)
    return Scene(
        (*parts, *behind), order, points, confidence, rig.layer, expression, time, hold, face, face_seen
    )


def _outside(points: np.ndarray) -> np.ndarray:
    """bool [...] of points [..., 2] in fractions of width and height."""
    return np.any((points < 0) | (points > 1), axis=-1)


def held(rig: Rig, shown: np.ndarray) -> Rig:
    """The rig as drawn at frames ``shown`` [T]: on twos, 0 0 2 2 4 4 ..."""

    def still(paints: tuple[Paint, ...]) -> tuple[Paint, ...]:
        return tuple(
            replace(paint, polygon=paint.polygon[shown]) if paint.polygon.ndim == 3 else paint
            for paint in paints
        )

    def drawing(whole: Drawing) -> Drawing:
        changes = any(paint.polygon.ndim == 3 for paint in (*whole.ink, *whole.fill))
        return Drawing(still(whole.ink), still(whole.fill)) if changes else whole

    parts = tuple(
        replace(part, to_picture=part.to_picture[shown], drawing=drawing(part.drawing)) for part in rig.parts
    )
    series = [f.name for f in fields(rig) if f.name != "parts" and getattr(rig, f.name) is not None]
    return replace(rig, parts=parts, **{name: getattr(rig, name)[shown] for name in series})
