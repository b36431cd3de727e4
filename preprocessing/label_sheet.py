"""Frames of a clip with their labels drawn on: what a person looks at before trusting them."""

import base64
import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from temporal_gan.alpha import over_white
from temporal_gan.data.manifest import ORIGINS, ClipLabels
from temporal_gan.data.store import Store
from temporal_gan.expressions import CLASSES
from temporal_gan.skeletons import Skeleton

TILE = 256
"""Pixels of a tile's width; the words stand below the picture."""

LEFT, RIGHT, MIDDLE = (38, 120, 255), (255, 106, 0), (150, 60, 220)
"""Colours of limbs by the subject's side: swapped sides are the commonest fault, and the hardest to see in grey."""

HAND, FACE = (0, 150, 136), (216, 27, 96)
FILLED = ("interpolated", "propagated")
"""Origins of joints nobody saw in that frame; limbs that end in one are dashed."""

BY_PERSON = ("imported", "manual")
_FINGERS = tuple(tuple((0 if i == 1 else f + i - 1, f + i) for i in range(1, 5)) for f in (0, 4, 8, 12, 16))
_WORDS_HEIGHT, _FONT, _LINE = 80, 16, 19
_STRONG_CONTROL = 0.25
_SHIFT = 4


@dataclass(frozen=True)
class FrameLabels:
    """What is known of one frame.

    Attributes:
        keypoints, confidence: float [J, 2] fractions, [J].
        origins: J of ORIGINS.
        hands: float [2, 21, 3] x, y, confidence, or None.
        face_points: float [F, 3] x, y, confidence, or None.
        words: lines under the picture.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    origins: tuple[str, ...]
    hands: np.ndarray | None
    face_points: np.ndarray | None
    words: tuple[str, ...]


def label_tiles(store: Store, clip: str, count: int = 6) -> list[tuple[np.ndarray, str]]:
    """Up to ``count`` evenly spaced frames of a clip with their labels, and the same in words.

    Returns:
        (uint8 [h, TILE, 3], words) each.
    Raises:
        StoreError: the clip's video, labels or exact arrays are missing or damaged.
    """
    labels, video, truth = store.labels(clip), store.frames(clip), store.truth(clip) or {}
    picks = np.unique(np.linspace(0, len(video) - 1, count).round().astype(int))
    tiles = []
    for frame in picks:
        known = frame_labels(labels, truth, int(frame), store.info.expressions)
        picture = draw_labels(over_white(video[frame]), known, store.info.skeleton)
        tiles.append((picture, ", ".join(known.words)))
    return tiles


def frame_labels(
    labels: ClipLabels, truth: dict[str, np.ndarray], frame: int, expressions: tuple[str, ...]
) -> FrameLabels:
    """One frame out of a clip's labels and exact arrays (``hands``, ``face_points``, ``joint_origin`` where kept)."""
    joints = labels.keypoints.shape[1]
    origins = (labels.origins()[frame],) * joints
    if (kept := truth.get("joint_origin")) is not None and kept.shape[1:] == (joints,):
        origins = tuple(ORIGINS[min(int(o), len(ORIGINS) - 1)] for o in kept[frame])
    hands, face = truth.get("hands"), truth.get("face_points")
    place = f"frame {frame} · {labels.time[frame]:.2f} s · drawing {labels.hold[frame]}"
    pose = () if (labels.confidence[frame] > 0).any() else ("no pose",)
    said = expression_words(labels.expression[frame], labels.expression_confidence[frame], expressions)
    return FrameLabels(
        labels.keypoints[frame],
        labels.confidence[frame],
        origins,
        None if hands is None else hands[frame],
        None if face is None else _with_confidence(face[frame]),
        (place, *pose, *said)[:4],
    )


def expression_words(
    intensity: np.ndarray, confidence: np.ndarray, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Three lines at most: the strongest class and two controls at work, each with its intensity in [0, 1]."""
    known = {name: float(intensity[i]) for i, name in enumerate(names) if confidence[i] > 0}
    if not known:
        return ("expression not labelled",)
    classes = {name: value for name, value in known.items() if name in CLASSES}
    strongest = max(classes, key=lambda name: classes[name], default="")
    controls = [
        f"{name} {value:.2f}"
        for name, value in sorted(known.items(), key=lambda item: -item[1])
        if name not in CLASSES and value >= _STRONG_CONTROL
    ]
    lines = [f"{strongest} {classes[strongest]:.2f}"] if strongest else []
    return (*lines, *controls[:2])


def draw_labels(frame_u8: np.ndarray, known: FrameLabels, skeleton: Skeleton) -> np.ndarray:
    """Draw the labels of one frame, enlarged or shrunk to a tile.

    Args:
        frame_u8: uint8 [H, W, 3].
        known: its labels.
        skeleton: of the J joints.
    Returns:
        uint8 [h, TILE, 3]. Limbs have the colour of their side, faint where confidence is low and dashed where an end
        was filled in; joints go from red (doubted) to green (certain), square where a person or an import set them.
    """
    height, width = frame_u8.shape[:2]
    size = (TILE, max(1, round(TILE * height / width)))
    enlarge = cv2.INTER_CUBIC if width < TILE else cv2.INTER_AREA
    picture = cv2.resize(np.ascontiguousarray(frame_u8), size, interpolation=enlarge)
    if known.face_points is not None:
        _draw_face(picture, known.face_points)
    for hand in known.hands if known.hands is not None else ():
        for pair in (pair for finger in _FINGERS for pair in finger):
            if min(hand[list(pair), 2]) > 0:
                start, end = (_pixels(hand[i, :2], picture) for i in pair)
                _line(picture, start, end, HAND, 1, False)
    for edge in skeleton.edges:
        trust = float(min(known.confidence[list(edge)]))
        if trust > 0:
            filled = any(known.origins[j] in FILLED for j in edge)
            colour = _faded(_side_colour(skeleton, edge), trust)
            start, end = (_pixels(known.keypoints[j], picture) for j in edge)
            _line(picture, start, end, colour, 2, filled)
    for joint in np.flatnonzero(known.confidence > 0):
        place = _pixels(known.keypoints[joint], picture)
        _dot(picture, place, _trust_colour(float(known.confidence[joint])), known.origins[joint] in BY_PERSON)
    return np.concatenate([picture, _words(known.words)])


def picture_uri(picture: np.ndarray) -> str:
    """uint8 [h, w, 3] -> WebP as a data URI; the same picture gives the same text."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=78, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _with_confidence(points: np.ndarray) -> np.ndarray:
    """[F, 3]; exact points, which come as [F, 2], are certain."""
    if points.shape[-1] == 3:
        return points
    return np.concatenate([points, np.ones_like(points[:, :1])], axis=1)


def _side_colour(skeleton: Skeleton, edge: tuple[int, int]) -> tuple[int, int, int]:
    for position, colour in ((0, LEFT), (1, RIGHT)):
        if {pair[position] for pair in skeleton.flip_pairs} & set(edge):
            return colour
    return MIDDLE


def _trust_colour(confidence: float) -> tuple[int, int, int]:
    """Red over yellow to green."""
    return (
        round(255 * min(1.0, 2 - 2 * confidence)),
        round(190 * min(1.0, 2 * confidence)) + 10,
        30,
    )


def _faded(colour: tuple[int, int, int], confidence: float) -> tuple[int, int, int]:
    share = 0.35 + 0.65 * min(1.0, confidence)
    r, g, b = (round(share * c + (1 - share) * 235) for c in colour)
    return r, g, b


def _pixels(place: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Fractions -> fixed-point pixels of OpenCV, whose pixel centres are whole numbers."""
    size = np.array(picture.shape[1::-1])
    return np.rint((np.clip(place, -0.5, 1.5) * size - 0.5) * 2**_SHIFT).astype(int)


def _line(
    picture: np.ndarray, a: np.ndarray, b: np.ndarray, colour: tuple[int, int, int], wide: int, dashed: bool
) -> None:
    """A line with a light rim, so that it is seen on dark and on bright drawings."""
    dash = 9 * 2**_SHIFT
    count = max(1, round(float(np.hypot(*(b - a))) / dash)) if dashed else 1
    for rim in (True, False):
        for piece in range(count):
            start = a + (b - a) * piece / count
            end = a + (b - a) * (piece + (0.5 if dashed else 1.0)) / count
            ends = [tuple(int(v) for v in np.rint(p)) for p in (start, end)]
            cv2.line(
                picture, ends[0], ends[1], (255, 255, 255) if rim else colour, wide + 2 * rim, cv2.LINE_AA,
                _SHIFT,
            )  # fmt: skip


def _dot(picture: np.ndarray, place: np.ndarray, colour: tuple[int, int, int], square: bool) -> None:
    for radius, fill in ((4.5, (20, 20, 20)), (3.2, colour)):
        reach = round(radius * 2**_SHIFT)
        x, y = (int(v) for v in place)
        if square:
            corners = (x - reach, y - reach), (x + reach, y + reach)
            cv2.rectangle(picture, *corners, fill, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        else:
            cv2.circle(picture, (x, y), reach, fill, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _draw_face(picture: np.ndarray, points: np.ndarray) -> None:
    places = [_pixels(point[:2], picture) for point in points if point[2] > 0]
    if not places:
        return
    low, high = np.min(places, axis=0), np.max(places, axis=0)
    corners = [tuple(int(v) for v in corner) for corner in (low, high)]
    cv2.rectangle(picture, corners[0], corners[1], FACE, 1, cv2.LINE_AA, _SHIFT)
    for x, y in places:
        cv2.circle(picture, (int(x), int(y)), round(1.4 * 2**_SHIFT), FACE, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _words(lines: tuple[str, ...]) -> np.ndarray:
    strip = Image.new("RGB", (TILE, _WORDS_HEIGHT), "white")
    draw = ImageDraw.Draw(strip)
    for number, line in enumerate(lines):
        colour = "#6b7280" if number == 0 else "#111827"
        draw.text((6, 3 + number * _LINE), line, fill=colour, font_size=_FONT)
    return np.asarray(strip)
