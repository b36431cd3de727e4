"""COCO's keypoint annotations (Lin et al. 2014, https://cocodataset.org/#format-data), and COCO-WholeBody's (Jin et al.
2020): feet, face and hands beside the 17 joints; DWPose's 133 points in one list.

Films are told by ``videos`` and by ``video_id`` and ``frame_id`` of the images, as CocoVID has them (MMTracking).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from temporal_gan.drawings import flip_pairs
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25, Skeleton, to_canonical25

from ..label_track import LabelTrack
from .json_file import MOST_PIXELS, Element, read_json
from .places import relative_name, within_frame

Value = TypeVar("Value")

COCO17 = tuple(
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle".split()
)
_WHOLE_BODY = (("foot_kpts", 6), ("face_kpts", 68), ("lefthand_kpts", 21), ("righthand_kpts", 21))
_MOST_FRAMES = 10**9
_VISIBILITY = np.array([0.0, 0.5, 1.0])
"""Confidence of v = 0 not labelled, 1 labelled but hidden, 2 visible."""


@dataclass(frozen=True)
class _Image:
    """Whose frame an image is."""

    source: str
    frame: int
    size: tuple[float, float]


@dataclass(frozen=True)
class _Labels:
    """One annotation, in fractions of its image, which is ``aspect`` times as wide as high."""

    keypoints: np.ndarray
    confidence: np.ndarray
    skeleton: Skeleton
    aspect: float
    hands: np.ndarray | None = None
    face: np.ndarray | None = None


def read_coco(file: Path) -> dict[str, LabelTrack]:
    """Read one annotation file.

    An image with ``video_id`` and ``frame_id`` is a frame of that film (the key is the video's ``name``), any other
    is a source of one frame (the key is its ``file_name``). Of several annotations of an image the largest box is
    taken; ``iscrowd`` ones and those without keypoints are passed over; images without annotation have no labels.
    Places are pixels, the middle of the first one 0. ``v`` 0, 1, 2 become confidence 0, 0.5, 1, unless there are
    scores in its place (one of them is no whole number); a list ``keypoint_scores`` beside the keypoints wins. 0 is
    COCO's "not labelled", and says nothing of the joint. A category of COCO's 17 joints becomes canonical25, any other
    stays a skeleton of its own, all in one depth layer.

    Raises:
        UserError: file, and element or line.
    """
    root = read_json(file)
    images = _images(root)
    categories = _categories(root)
    best: dict[tuple[str, int], tuple[float, _Labels]] = {}
    for annotation in root.get("annotations").items():
        keypoints = annotation.find("keypoints")
        crowd = annotation.find("iscrowd")
        if keypoints is None or (crowd is not None and crowd.value in (1, True)):
            continue
        image = _known(annotation.get("image_id"), images, "the id of an image of this file")
        skeleton = _known(annotation.get("category_id"), categories, "the id of a category with keypoints")
        labels = _labels(annotation, keypoints, skeleton, np.array(image.size))
        area = _area(annotation, labels)
        key = image.source, image.frame
        if key not in best or area > best[key][0]:
            best[key] = area, labels
    if not best:
        raise UserError(f"{file}: no annotation in it has keypoints")
    tracks: dict[str, list[tuple[int, _Labels]]] = {}
    for (source, frame), (_, labels) in sorted(best.items(), key=lambda found: found[0]):
        tracks.setdefault(source, []).append((frame, labels))
    order = dict.fromkeys(image.source for image in images.values())
    return {name: _track(file, name, tracks[name]) for name in order if name in tracks}


def _images(root: Element) -> dict[int | str, _Image]:
    videos: dict[int | str, str] = {}
    listed = root.find("videos")
    for video in listed.items() if listed else ():
        name = video.get("name")
        videos[_id(video)] = relative_name(name.text(), name.where)
    images: dict[int | str, _Image] = {}
    taken: dict[tuple[str, int], str] = {}
    for image in root.get("images").items():
        name = image.get("file_name")
        source, frame = relative_name(name.text(), name.where), 0
        if image.find("video_id") is not None:
            source = _known(image.get("video_id"), videos, "the id of a video of this file")
            frame = image.get("frame_id").whole(0, _MOST_FRAMES)
        size = image.get("width").number(1, MOST_PIXELS), image.get("height").number(1, MOST_PIXELS)
        number = _id(image)
        if number in images:
            raise UserError(f"{image.where}: id {number!r} was given before")
        if (source, frame) in taken:
            raise UserError(f"{image.where}: is frame {frame} of {source!r}, as is {taken[source, frame]}")
        taken[source, frame] = image.path
        images[number] = _Image(source, frame, size)
    return images


def _id(element: Element) -> int | str:
    value = element.get("id").value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise element.get("id").wrong("a whole number")
    return value


def _known(reference: Element, things: dict[int | str, Value], expected: str) -> Value:
    value = reference.value
    if isinstance(value, bool) or not isinstance(value, int | str) or value not in things:
        raise reference.wrong(expected)
    return things[value]


def _categories(root: Element) -> dict[int | str, Skeleton]:
    found = {}
    for category in root.get("categories").items():
        keypoints = category.find("keypoints")
        if keypoints is None or keypoints.value == []:
            continue
        joints = tuple(joint.text() for joint in keypoints.items())
        if len(set(joints)) != len(joints):
            raise UserError(f"{keypoints.where}: a name of a keypoint repeats")
        name = category.find("name")
        edges = []
        limbs = category.find("skeleton")
        for limb in limbs.items() if limbs else ():
            ends = [end.whole(1, len(joints)) - 1 for end in limb.items()]
            if len(ends) != 2 or ends[0] == ends[1]:
                raise limb.wrong("two numbers of keypoints, the first of all being 1")
            edges.append((ends[0], ends[1]))
        skeleton = Skeleton(
            name.text() if name else "own", joints, tuple(edges), flip_pairs(joints), (1,) * len(joints)
        )
        found[_id(category)] = CANONICAL25 if joints == CANONICAL25.joints else skeleton
    return found


def _labels(annotation: Element, keypoints: Element, skeleton: Skeleton, size: np.ndarray) -> _Labels:
    count, aspect = len(skeleton.joints), float(size[0] / size[1])
    plain = skeleton.joints[:17] == COCO17 and count in (17, 133)
    points = keypoints.triples((17, 133) if plain else (count,), MOST_PIXELS)
    points[:, 2] = _scores(annotation, "keypoint_scores", _confidence(points[:, 2], keypoints))
    if not plain:
        return _Labels(*within_frame((points[:, :2] + 0.5) / size, points[:, 2]), skeleton, aspect)
    parts = [points]
    if len(points) == 17:
        for name, joints in _WHOLE_BODY:
            part = annotation.find(name)
            values = np.zeros((joints, 3)) if part is None else part.triples((joints,), MOST_PIXELS)
            if part is not None:
                values[:, 2] = _confidence(values[:, 2], part)
            if name == "foot_kpts":
                values[:, 2] = _scores(annotation, "foot_scores", values[:, 2])
            parts.append(values)
    whole = np.concatenate(parts)
    places, sure = within_frame((whole[:, :2] + 0.5) / size, whole[:, 2])
    both = np.concatenate([places, sure[:, None]], axis=-1)
    face, hands = both[23:91], np.stack([both[91:112], both[112:133]])
    body = to_canonical25(places, sure, "dwpose133")
    return _Labels(
        *body,
        CANONICAL25,
        aspect,
        hands if hands[..., 2].any() else None,
        face if face[:, 2].any() else None,
    )


def _confidence(values: np.ndarray, points: Element) -> np.ndarray:
    """Of ``v``, or of scores where one of them is no whole number."""
    whole = bool((values == np.floor(values)).all())
    wrong = ~np.isin(values, (0, 1, 2)) if whole else (values < 0) | (values > 1)
    if wrong.any():
        number = int(wrong.argmax())
        expected = "v of 0, 1 or 2" if whole else "scores from 0 to 1"
        raise UserError(f"{points.where}[{3 * number + 2}] is {values[number]:g}, expected {expected}")
    return _VISIBILITY[values.astype(int)] if whole else values


def _scores(annotation: Element, name: str, otherwise: np.ndarray) -> np.ndarray:
    scores = annotation.find(name)
    if scores is None:
        return otherwise
    values = [score.number(0, 1) for score in scores.items()]
    if len(values) != len(otherwise):
        raise scores.wrong(f"a list of {len(otherwise)} scores")
    return np.array(values)


def _area(annotation: Element, labels: _Labels) -> float:
    box = annotation.find("bbox")
    if box is not None:
        sides = [side.number(-MOST_PIXELS, MOST_PIXELS) for side in box.items()]
        if len(sides) != 4:
            raise box.wrong("x, y, width, height")
        return sides[2] * sides[3]
    seen = labels.keypoints[labels.confidence > 0]
    return float(np.ptp(seen, axis=0).prod()) if len(seen) else -1.0


def _track(file: Path, name: str, frames: list[tuple[int, _Labels]]) -> LabelTrack:
    skeleton = frames[0][1].skeleton
    if any(labels.skeleton != skeleton for _, labels in frames):
        raise UserError(f"{file}: the frames of {name!r} are labelled with different skeletons")
    return LabelTrack(
        frame=np.array([frame for frame, _ in frames], np.int64),
        keypoints=np.stack([labels.keypoints for _, labels in frames]),
        confidence=np.stack([labels.confidence for _, labels in frames]),
        skeleton=skeleton,
        hands=_stacked((labels.hands for _, labels in frames), (2, 21, 3)),
        face_points=_stacked((labels.face for _, labels in frames), (68, 3)),
        aspect=np.array([labels.aspect for _, labels in frames]),
    )


def _stacked(parts: Iterable[np.ndarray | None], shape: tuple[int, ...]) -> np.ndarray | None:
    parts = list(parts)
    if all(part is None for part in parts):
        return None
    return np.stack([np.zeros(shape, np.float32) if part is None else part for part in parts])
