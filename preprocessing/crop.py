"""Square clips of one size around their subject, and the labels by the very same cut."""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from pydantic import Field
from scipy.ndimage import median_filter

from temporal_gan.alpha import over_white
from temporal_gan.config import Section
from temporal_gan.data.letterbox import border_colour
from temporal_gan.data.manifest import OUT_OF_FRAME
from temporal_gan.keying import key_page

from .camera_path import calmest_path
from .clip import Clip, Face, Pose
from .subject import clip_page, subject_boxes

_SPIKE_DRAWINGS = 5
"""A box that is elsewhere in one or two drawings only is a mistake of the detector."""


class CropConfig(Section):
    """How clips are cut. Lengths are parts of the subject's box."""

    size: int = Field(
        default=256, ge=16, le=2048, description="pixels of the square's side: the store's size"
    )
    mode: Literal["follow", "whole"] = Field(
        default="follow", description="follow the subject, or take the whole frame with bars beside it"
    )
    margin: float = Field(default=0.08, ge=0, le=1, description="kept free on every side, within the frame")
    slack: float = Field(
        default=0.15, ge=0, le=1, description="larger the square, so that it need not follow every step"
    )
    rest: float = Field(
        default=1.3, ge=1, description="how much larger the square may be if then it need not move at all"
    )
    least_confidence: float = Field(default=0.3, ge=0, le=1, description="of joints and faces that count")
    enlarge: float = Field(default=2.0, ge=1, description="at most, unless the whole frame is smaller")
    alpha: Literal["key", "opaque", "source"] = Field(
        default="key",
        description="key: four channels, a plain page cut away where that holds; opaque: three, alpha laid on white; "
        "source: as many as there are",
    )
    leak: float = Field(
        default=0.35,
        gt=0,
        le=1,
        description="a page that takes this part of the figure away from one drawing to the next is not cut away",
    )


@dataclass(frozen=True)
class Cut:
    """Where a clip is cut, whole pixels: so a still background is not sampled anew in every frame.

    Attributes:
        left, top: int64 [T], may leave the frame.
        side: of the square in every frame.
        width, height: of the frames.
        found: False where nothing was found and the whole frame is taken.
    """

    left: np.ndarray
    top: np.ndarray
    side: int
    width: int
    height: int
    found: bool

    def points(self, points: np.ndarray) -> np.ndarray:
        """Places [T, ..., 2] in fractions of the frame -> of the square, float32; they may leave [0, 1]."""
        corner = np.stack([self.left, self.top], axis=-1).reshape(-1, *(1,) * (points.ndim - 2), 2)
        return ((points * (self.width, self.height) - corner) / self.side).astype(np.float32)

    @property
    def beyond(self) -> float:
        """Part of the squares that lies outside of the frame."""
        wide, tall = (
            np.minimum(corner + self.side, extent) - np.maximum(corner, 0)
            for corner, extent in ((self.left, self.width), (self.top, self.height))
        )
        return float(1 - (wide * tall).mean() / self.side**2)


def crop_clip(clip: Clip, config: CropConfig) -> Clip:
    """Cut a clip to squares, with its pose and face.

    Shrunk by area, enlarged by Lanczos. Beyond the frame there is nothing: transparent where the clip has alpha, the
    page where it has one, else the border's median colour. A drawing is cut at one place however long it is held.

    Args:
        clip: before its flow is measured.
        config: what to make.
    Returns:
        with frames uint8 [T, size, size, C]; joints and points that left the square with confidence 0. Facts:
        ``crop_scale`` source pixels per new one, ``crop_enlarged`` 1 or 0, ``crop_beyond`` part of the squares
        outside of the frame, ``crop_moved`` part of the changes of drawing at which the square moved, ``keyed`` 1 where
        a page was cut away. Flag ``full-frame`` where no subject was found.
    Raises:
        ValueError: flow was measured already.
    """
    if clip.flow is not None:
        raise ValueError(f"crop_clip: clip {clip.id} has flow of other pixels; crop first")
    page = clip_page(clip)
    cut = plan_cut(clip, page, config)
    pictures = cut_frames(clip.frames_u8, cut, config.size, page)
    pictures, keyed = _with_alpha(pictures, page, clip, config)
    changes = clip.hold[1:] != clip.hold[:-1]
    moved = (np.diff(cut.left) != 0) | (np.diff(cut.top) != 0)
    made = replace(
        clip,
        frames_u8=pictures,
        pose=None if clip.pose is None else _moved_pose(clip.pose, cut),
        face=None if clip.face is None else _moved_face(clip.face, cut),
    ).with_facts(
        crop_scale=cut.side / config.size,
        crop_enlarged=float(cut.side < config.size),
        crop_beyond=cut.beyond,
        crop_moved=float(moved.sum() / max(changes.sum(), 1)),
        keyed=float(keyed),
    )
    return made if cut.found else made.with_flags("full-frame")


def plan_cut(clip: Clip, page: np.ndarray | None, config: CropConfig) -> Cut:
    """Decide where to cut: one side for the whole clip, and the calmest way that keeps the subject inside."""
    height, width = clip.frames_u8.shape[1:3]
    shorter, longer = min(width, height), max(width, height)
    boxes = subject_boxes(clip, page, config.least_confidence)
    known = np.isfinite(boxes[:, 0])
    if config.mode == "whole" or not known.any():
        left, top = (np.full(len(clip.hold), (extent - longer) // 2) for extent in (width, height))
        return Cut(left, top, longer, width, height, bool(known.any()))
    time = clip.time[clip.drawings]
    boxes = np.stack([np.interp(time, time[known], edge[known]) for edge in boxes.T], axis=1)
    boxes = median_filter(boxes, size=(_SPIKE_DRAWINGS, 1), mode="nearest")
    margin = config.margin * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    low = np.maximum(boxes[:, :2] - margin, 0)
    high = np.minimum(boxes[:, 2:] + margin, (width, height))
    needed = float((high - low).max())
    side = needed * (1 + config.slack)
    union = float((high.max(axis=0) - low.min(axis=0)).max())
    if union <= config.rest * side:
        side = max(side, union)
    side = max(side, config.size / config.enlarge)
    whole = int(np.ceil(min(side, shorter if needed <= shorter else longer)))
    paths = []
    for axis, extent in enumerate((width, height)):
        free = extent - whole
        if free <= 0:
            paths.append(np.full(len(time), free // 2))
            continue
        walls = [np.clip(wall, 0, free) for wall in (high[:, axis] - whole, low[:, axis])]
        # Where the square is the smaller one, its middle is the subject's.
        narrow = walls[0] > walls[1]
        walls = [np.where(narrow, (walls[0] + walls[1]) / 2, wall) for wall in walls]
        paths.append(np.rint(calmest_path(time, *walls)).astype(np.int64))
    row = np.searchsorted(np.unique(clip.hold), clip.hold)
    return Cut(paths[0][row], paths[1][row], whole, width, height, True)


def cut_frames(frames_u8: np.ndarray, cut: Cut, size: int, page: np.ndarray | None) -> np.ndarray:
    """uint8 [T, H, W, C] -> uint8 [T, size, size, C]; beyond the frame its page, border colour or nothing."""
    channels, side = frames_u8.shape[-1], cut.side
    made = np.empty((len(frames_u8), size, size, channels), np.uint8)
    canvas, beyond, place = None, np.zeros(channels, np.uint8), None
    if cut.beyond > 0:
        canvas = np.empty((side, side, channels), np.uint8)
        if channels == 3:
            beyond = border_colour(frames_u8) if page is None else page
    method = cv2.INTER_AREA if side > size else cv2.INTER_LANCZOS4
    for target, frame, left, top in zip(made, frames_u8, cut.left.tolist(), cut.top.tolist(), strict=True):
        seen = frame[max(top, 0) : top + side, max(left, 0) : left + side]
        if canvas is not None:
            if place != (left, top):
                canvas[:], place = beyond, (left, top)
            down, right = max(-top, 0), max(-left, 0)
            canvas[down : down + seen.shape[0], right : right + seen.shape[1]] = seen
            seen = canvas
        target[:] = seen if side == size else cv2.resize(seen, (size, size), interpolation=method)
    if channels == 4 and side < size:
        # Lanczos overshoots; premultiplied colour stays below alpha.
        np.minimum(made[..., :3], made[..., 3:], out=made[..., :3])
    return made


def _with_alpha(
    pictures: np.ndarray, page: np.ndarray | None, clip: Clip, config: CropConfig
) -> tuple[np.ndarray, bool]:
    """The pictures with as many channels as asked for, and whether a page was cut away."""
    if config.alpha == "source":
        return pictures, False
    if config.alpha == "opaque":
        return over_white(pictures), False
    if pictures.shape[-1] == 4:
        return pictures, False
    made = np.empty((*pictures.shape[:-1], 4), np.uint8)
    if page is not None:
        for picture, target in zip(pictures, made, strict=True):
            target[:] = key_page(picture, page)
        if _page_holds(made[clip.drawings, ..., 3], config.leak):
            return made, True
    for picture, target in zip(pictures, made, strict=True):
        cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA, dst=target)
    return made, False


def _page_holds(alpha: np.ndarray, leak: float) -> bool:
    """Whether there is a figure in every drawing [D, H, W], and none of them loses much of it to the page."""
    area = (alpha > 127).mean(axis=(1, 2))
    change = np.abs(np.diff(area)) / np.maximum(area[1:], area[:-1]).clip(1e-9)
    return bool(area.min() > 0.005 and area.max() < 0.995 and (change < leak).all())


def _moved_pose(pose: Pose, cut: Cut) -> Pose:
    keypoints, confidence = _within(cut.points(pose.keypoints), pose.confidence)
    hands = None
    if pose.hands is not None:
        places, sure = _within(cut.points(pose.hands[..., :2]), pose.hands[..., 2])
        hands = np.concatenate([places, sure[..., None]], axis=-1)
    return replace(pose, keypoints=keypoints, confidence=confidence, hands=hands)


def _moved_face(face: Face, cut: Cut) -> Face:
    corners = cut.points(face.box.reshape(-1, 2, 2))
    middle = corners.mean(axis=1)
    seen = ((middle >= 0) & (middle <= 1)).all(axis=-1)
    points = face.points
    if points is not None:
        places, sure = _within(cut.points(points[..., :2]), points[..., 2])
        points = np.concatenate([places, sure[..., None]], axis=-1)
    confidence = np.where(seen, face.confidence, 0).astype(np.float32)
    box = np.clip(corners.reshape(-1, 4), -OUT_OF_FRAME, 1 + OUT_OF_FRAME)
    return replace(face, box=box, confidence=confidence, points=points)


def _within(points: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points that left the square: confidence 0, and a place near it, as the store wants them."""
    outside = ((points < 0) | (points > 1)).any(axis=-1)
    near = np.clip(points, -OUT_OF_FRAME, 1 + OUT_OF_FRAME).astype(np.float32)
    return near, np.where(outside, 0, confidence).astype(np.float32)
