"""What may differ between the puppet and the picture that a reader will meet: view, colours, line and flaws."""

from collections.abc import Callable

import cv2
import numpy as np

from ...expressions import EXPRESSIONS
from ...skeletons import CANONICAL25

FLIPPED_JOINTS = CANONICAL25.flip_permutation()
FLIPPED_FACE = np.array(
    [
        EXPRESSIONS.index(_n.replace("Left", "\0").replace("Right", "Left").replace("\0", "Right"))
        for _n in EXPRESSIONS
    ]
)
_GREY = np.full((3, 3), 1 / 3)


def change_view(
    frame: np.ndarray,
    keypoints: np.ndarray,
    confidence: np.ndarray,
    expression: np.ndarray,
    mirrored: bool,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The picture from elsewhere: mirrored, turned, nearer or farther, moved; sometimes the head alone.

    Args:
        frame: uint8 [S, S, 3].
        keypoints, confidence: [25, 2] in [0, 1], [25].
        expression: [14].
        mirrored: as it says; left and right are renamed.
        random: draws the rest.
    Returns:
        the same four, changed; a joint that has left the picture has confidence 0.
    """
    side = len(frame)
    known = confidence > 0
    points = keypoints[known] if known.any() else np.array([[0.5, 0.5]])
    if random.random() < 0.15:
        head = keypoints[[0, 1, 14, 15]]
        middle, zoom = head.mean(axis=0), float(random.uniform(1.8, 3.0))
    else:
        middle, zoom = (points.min(axis=0) + points.max(axis=0)) / 2, float(np.exp(random.uniform(-0.4, 0.5)))
    angle = float(random.normal(0, 0.12)) if random.random() < 0.7 else 0.0
    goal = 0.5 + random.normal(0, 0.06, 2)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn = turn @ np.diag([-1.0, 1.0])
    shift = goal - turn @ middle
    moved = keypoints @ turn.T + shift
    # Pixel i has its centre at (i + 0.5) / side.
    half = np.full(2, 0.5)
    matrix = np.concatenate([turn, (side * shift + turn @ half - half)[:, None]], axis=1)
    border = [int(v) for v in np.median(np.concatenate([frame[0], frame[-1]]), axis=0)]
    # A page goes on beyond its edges; scenery is reflected as often as it ends.
    beyond = cv2.BORDER_REFLECT if random.random() < 0.5 else cv2.BORDER_CONSTANT
    frame = cv2.warpAffine(
        frame, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=beyond, borderValue=border
    )
    if mirrored:
        moved, confidence = moved[FLIPPED_JOINTS], confidence[FLIPPED_JOINTS]
        expression = expression[FLIPPED_FACE]
    inside = ((moved >= 0) & (moved <= 1)).all(axis=-1)
    return frame, moved.astype(np.float32), np.where(inside, confidence, 0).astype(np.float32), expression


def alter_colours(random: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """One change of colours for all pictures of a character: uint8 [S, S, 3] -> the same.

    White and black stay, but for brightness: hue turns about the grey axis.
    """
    angle = float(random.uniform(-np.pi, np.pi)) if random.random() < 0.4 else float(random.normal(0, 0.2))
    colourful = 0.0 if random.random() < 0.08 else float(random.uniform(0.5, 1.5))
    gamma = float(np.exp(random.normal(0, 0.25)))
    gain, offset = float(random.uniform(0.75, 1.1)), float(random.uniform(-0.08, 0.15))
    c, s = np.cos(angle), np.sin(angle) / np.sqrt(3)
    # Rodrigues' formula about the axis (1, 1, 1).
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    hue = c * np.eye(3) + s * cross + (1 - c) * _GREY
    matrix = _GREY + colourful * (hue - _GREY)
    table = np.clip(255 * (gain * (np.arange(256) / 255) ** gamma + offset), 0, 255).astype(np.uint8)
    return lambda frame: cv2.LUT(cv2.transform(frame, matrix.astype(np.float32)), table)


def spoil(
    frame: np.ndarray, keypoints: np.ndarray, confidence: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Flaws of one picture: line width, resolution, blur, grain, compression, things in front.

    Args:
        frame: uint8 [S, S, 3].
        keypoints, confidence: [25, 2] in [0, 1], [25].
        random: draws them.
    Returns:
        the picture, and the confidence with 0.5 at most for joints that something now covers.
    """
    side = len(frame)
    if random.random() < 0.15:
        brush = np.ones((2, 2) if side < 192 or random.random() < 0.5 else (3, 3), np.uint8)
        frame = cv2.erode(frame, brush) if random.random() < 0.6 else cv2.dilate(frame, brush)
    if random.random() < 0.5:
        small = int(side * random.uniform(max(0.35, 48 / side), 0.8))
        up = cv2.INTER_NEAREST if random.random() < 0.2 else cv2.INTER_LINEAR
        coarse = cv2.resize(frame, (small, small), interpolation=cv2.INTER_AREA)
        frame = cv2.resize(coarse, (side, side), interpolation=up)
    if random.random() < 0.2:
        frame = cv2.GaussianBlur(frame, (0, 0), float(random.uniform(0.002, 0.008)) * side)
    if random.random() < 0.3:
        frame, confidence = frame.copy(), confidence.copy()
        for _ in range(int(random.integers(1, 4))):
            low = random.uniform(0, 0.9, 2)
            high = low + random.uniform(0.03, 0.18, 2)
            (x0, y0), (x1, y1) = (low * side).astype(int), (high * side).astype(int)
            frame[y0:y1, x0:x1] = random.integers(0, 256, 3)
            covered = ((keypoints > low) & (keypoints < high)).all(axis=-1)
            confidence[covered] = np.minimum(confidence[covered], 0.5)
    if random.random() < 0.25:
        grain = float(random.uniform(2, 14)) * random.standard_normal((side, side, 3), np.float32)
        frame = np.clip(frame + grain, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = int(random.integers(15, 70))
        _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        frame = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return frame, confidence
