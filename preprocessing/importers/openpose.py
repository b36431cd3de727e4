"""OpenPose's JSON, a file a frame: https://github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md.

DWPose and the ControlNet editors write the same with 18 body points, hands, a face of 68, and the canvas' size.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25, to_canonical25
from temporal_gan.video_io import natural_key

from ..label_track import LabelTrack
from .json_file import MOST_PIXELS, Element, read_json
from .places import within_frame

_NUMBERED = re.compile(r"_(\d{12})_keypoints\.json$")
"""What OpenPose itself calls its files: the frame's number is in the name."""
_LAST_NUMBER = re.compile(r"(?<!\d)(\d{1,12})(?:_keypoints)?\.json$")

_CONVENTIONS = {18: "openpose18", 25: "body25"}
_FACES = (68, 70)


def read_openpose(folder: Path, size: Callable[[str], tuple[int, int]]) -> dict[str, LabelTrack]:
    """Read a folder of JSON files (key "") or a folder of such folders (keys: their relative paths).

    Frames are numbered as OpenPose's own names say (``name_000000000012_keypoints.json``), or as all names say by their
    last number, if one of these is 0: others may count from 1. Else the files are those of all frames, in natural order
    (``counted``).

    Of several people the one with the largest box around the seen joints is taken. What its body or a hand gives
    without confidence is labelled as missing; a file without people is a frame labelled as empty. Places are pixels of
    the canvas the file names, else fractions if all of a person's are in [0, 1], else pixels of the media.

    Args:
        folder: see above.
        size: width and height in pixels of the media of a key; asked only where the files do not say, and once.
    Returns:
        tracks in canonical25, with hands and face points where any file has them.
    Raises:
        UserError: file, and element or line.
    """
    if not folder.is_dir():
        what = "is a file, expected a folder" if folder.exists() else "no such folder"
        raise UserError(f"{folder}: {what} with OpenPose .json files")
    inside = sorted({file.parent for file in folder.rglob("*.json")}, key=lambda f: natural_key(str(f)))
    if not inside:
        raise UserError(f"{folder}: no OpenPose .json files in this folder")
    keys = [place.relative_to(folder).as_posix() for place in inside]
    names = ["" if key == "." else key for key in keys]
    return {name: _read_track(place, name, size) for name, place in zip(names, inside, strict=True)}


def _read_track(folder: Path, name: str, size: Callable[[str], tuple[int, int]]) -> LabelTrack:
    files = sorted(folder.glob("*.json"), key=lambda f: natural_key(f.name))
    numbers, counted = _numbers(files)
    people = []
    media_size = cache(lambda: size(name))
    seen: dict[int, Path] = {}
    for number, file in sorted(zip(numbers, files, strict=True)):
        if number in seen:
            raise UserError(f"{file}: frame {number} is in {seen[number].name} too")
        seen[number] = file
        people.append(_Person.read(file, media_size))
    hands = np.stack([p.hands for p in people])
    face = max((len(p.face) for p in people), default=0)
    faces = np.zeros((len(people), face, 3), np.float32)
    for frame, person in enumerate(people):
        if len(person.face):
            if len(person.face) != face:
                raise UserError(f"{files[frame]}: a face of {len(person.face)} points, others have {face}")
            faces[frame] = person.face
    keypoints, confidence = within_frame(
        np.stack([p.keypoints for p in people]), np.stack([p.confidence for p in people])
    )
    told, hands_told = np.stack([p.told for p in people]), np.stack([p.hands_told for p in people])
    return LabelTrack(
        frame=np.array(sorted(numbers), np.int64),
        keypoints=keypoints,
        confidence=confidence,
        skeleton=CANONICAL25,
        hands=hands if hands[..., 2].any() else None,
        face_points=faces if face else None,
        missing=told & (confidence == 0),
        hands_missing=hands_told & (hands[..., 2] == 0),
        aspect=np.array([p.aspect for p in people]),
        counted=counted,
    )


def _numbers(files: list[Path]) -> tuple[list[int], bool]:
    """Numbers of the frames that the files are of, and whether they were only counted."""
    own, last = (
        [int(found[1]) for found in (pattern.search(file.name) for file in files) if found]
        for pattern in (_NUMBERED, _LAST_NUMBER)
    )
    if len(own) == len(files):
        return own, False
    if 0 in last and len(set(last)) == len(files):
        return last, False
    return list(range(len(files))), True


@dataclass(frozen=True)
class _Person:
    """The person that is taken from one file, in fractions of the picture, and which points the file gives."""

    keypoints: np.ndarray
    confidence: np.ndarray
    hands: np.ndarray
    face: np.ndarray
    told: np.ndarray
    hands_told: np.ndarray
    aspect: float

    @staticmethod
    def read(file: Path, media_size: Callable[[], tuple[int, int]]) -> "_Person":
        root = read_json(file)
        # ControlNet's editors write a list of one frame.
        if isinstance(root.value, list) and len(root.value) == 1:
            root = next(root.items())
        canvas = _canvas(root)
        aspect = canvas[0] / canvas[1] if canvas else np.nan
        people = list(root.get("people").items())
        bodies = [(_size_of(body), person, body) for person in people if (body := _body(person)) is not None]
        if not bodies:
            hands, empty = np.zeros((2, 21, 3), np.float32), np.zeros((0, 3), np.float32)
            # Of a person who is a face or a hand alone nothing is known.
            nobody = not people
            return _Person(
                np.zeros((25, 2)),
                np.zeros(25),
                hands,
                empty,
                told=np.full(25, nobody),
                hands_told=np.full((2, 21), nobody),
                aspect=aspect,
            )
        _, person, body = max(bodies, key=lambda found: found[0])
        places = body[body[:, 2] > 0, :2]
        fractions = canvas is None and places.size > 0 and places.min() >= 0 and places.max() <= 1
        scale = np.ones(2) if fractions else np.array(canvas or media_size(), float)
        convention = _CONVENTIONS[len(body)]
        keypoints, confidence = to_canonical25(body[:, :2] / scale, body[:, 2], convention)
        _, told = to_canonical25(body[:, :2], np.ones(len(body)), convention)
        sides = [_points(person, f"hand_{side}_keypoints_2d", (21,)) for side in ("left", "right")]
        hands = np.stack([np.zeros((21, 3)) if hand is None else _scaled(hand, scale) for hand in sides])
        face = _points(person, "face_keypoints_2d", _FACES)
        return _Person(
            keypoints,
            confidence,
            hands.astype(np.float32),
            np.zeros((0, 3), np.float32) if face is None else _scaled(face, scale).astype(np.float32),
            told > 0,
            np.array([[hand is not None] * 21 for hand in sides]),
            aspect,
        )


def _canvas(root: Element) -> tuple[float, float] | None:
    sides = [root.find("canvas_width"), root.find("canvas_height")]
    width, height = (
        None if side is None or side.value == 0 else side.number(1, MOST_PIXELS) for side in sides
    )
    return (width, height) if width and height else None


def _points(person: Element, name: str, counts: tuple[int, ...]) -> np.ndarray | None:
    element = person.find(name)
    if element is None or element.value == []:
        return None
    points = element.triples(counts, MOST_PIXELS)
    points[:, 2] = points[:, 2].clip(0, 1)
    return points


def _body(person: Element) -> np.ndarray | None:
    """None where a person is a face or hands alone."""
    person.get("pose_keypoints_2d")
    return _points(person, "pose_keypoints_2d", tuple(_CONVENTIONS))


def _size_of(body: np.ndarray) -> float:
    seen = body[body[:, 2] > 0, :2]
    return float(np.ptp(seen, axis=0).prod()) if len(seen) else -1.0


def _scaled(points: np.ndarray, scale: np.ndarray) -> np.ndarray:
    places, confidence = within_frame(points[:, :2] / scale, points[:, 2])
    return np.concatenate([places, confidence[:, None]], axis=-1)
