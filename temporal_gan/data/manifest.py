"""What a clip store says about itself, its clips and its frames: the three tables' fields and their checks.

``store.json`` is :class:`StoreInfo`, ``clips.parquet`` has a row per :class:`ClipRow`, ``frames.parquet`` a
row per frame of :class:`ClipLabels`, clip after clip in the order of ``clips.parquet``.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np

from ..errors import StoreError
from ..skeletons import Skeleton

SCHEMA_VERSION = 1
SPLITS = ("train", "val", "test", "test_character", "test_motion", "test_combination")
"""``test`` shows new clips of what ``train`` shows, the others what it never does: a character, a motion, both."""

ORIGINS = ("detected", "imported", "manual", "propagated", "interpolated", "rendered")
OUT_OF_FRAME = 0.5
"""How far beyond the frame, in frame widths and heights, a joint of confidence 0 may be noted."""

# Ids become file names: no separator, no leading dot or dash, so a manifest cannot point outside its folder.
_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class StoreInfo:
    """``store.json``.

    Attributes:
        schema: ``SCHEMA_VERSION`` of the writer.
        skeleton: the joints of every clip.
        expressions: names of the E expression channels.
        characters: names; ``ClipBatch.character`` is an index into them.
        fps: frames per second the store was made for; a clip's own rate is in its row.
        width, height: pixels of every clip, or the largest where ``mixed_sizes``.
        mixed_sizes: clips differ in size.
        channels: 3 RGB or 4 RGBA.
        clips, frames: totals.
        clips_sha256, frames_sha256: of the two parquet files.
        content_hash: of all of the above; the parquet files hold the hashes of videos and exact truth.
    """

    schema: int
    skeleton: Skeleton
    expressions: tuple[str, ...]
    characters: tuple[str, ...]
    fps: float
    width: int
    height: int
    mixed_sizes: bool
    channels: int
    clips: int
    frames: int
    clips_sha256: str
    frames_sha256: str
    content_hash: str = ""

    def with_hash(self) -> "StoreInfo":
        """The same, with ``content_hash`` computed from every other field."""
        data = self.to_dict()
        del data["content_hash"]
        text = json.dumps(data, sort_keys=True, ensure_ascii=False)
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return StoreInfo(**values | {"content_hash": hashlib.sha256(text.encode()).hexdigest()})

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        lists = {"expressions": list(self.expressions), "characters": list(self.characters)}
        return values | lists | {"skeleton": self.skeleton.to_dict()}

    @staticmethod
    def from_dict(data: object, where: str) -> "StoreInfo":
        """Inverse of :meth:`to_dict`.

        Raises:
            StoreError: another schema version, or fields missing or unknown; ``where`` is named.
        """
        if not isinstance(data, dict) or "schema" not in data:
            raise StoreError(f"{where}: is no clip store's description (no field 'schema')")
        if data["schema"] != SCHEMA_VERSION:
            advice = (
                "update temporal_gan" if str(data["schema"]) > str(SCHEMA_VERSION) else "make the store again"
            )
            raise StoreError(f"{where}: schema version {data['schema']}, expected {SCHEMA_VERSION}; {advice}")
        names = {f.name for f in fields(StoreInfo)}
        if set(data) != names:
            missing, unknown = sorted(names - set(data)), sorted(set(data) - names)
            raise StoreError(f"{where}: fields missing {missing}, unknown {unknown}; make the store again")
        # It names the cache's folder, which is removed when it is broken: no path may hide in it.
        if not re.fullmatch("[0-9a-f]{64}", str(data["content_hash"])):
            raise StoreError(f"{where}: content_hash {data['content_hash']!r} is not a SHA-256")
        try:
            values = dict(data)
            values["skeleton"] = Skeleton.from_dict(data["skeleton"])
            values["expressions"] = tuple(str(e) for e in data["expressions"])
            values["characters"] = tuple(str(c) for c in data["characters"])
            for name in ("width", "height", "channels", "clips", "frames"):
                values[name] = int(data[name])
            values["fps"] = float(data["fps"])
            return StoreInfo(**values)
        except (TypeError, ValueError) as error:
            raise StoreError(f"{where}: {error}") from None


@dataclass(frozen=True)
class ClipRow:
    """One row of ``clips.parquet``. The last group is filled in by the writer.

    Attributes:
        id: names the clip's files: letters, digits, ``_ . -``, at most 128.
        character: whom it shows.
        split: one of SPLITS; decided by source, never by clip.
        source, licence, author, url: where it comes from; "" = unknown.
        sha256: of the source file, "" where there is none.
        start, end: seconds within the source.
        fps: frames per second; 0 = the store's.
        flags: quality marks.
        recipe: JSON from which the clip can be made again, or "".
        frames, width, height: T, W, H.
        video: file suffix, ``.mkv`` or ``.mp4``.
        video_sha256, video_bytes: of that file.
        truth_sha256: of ``truth/<id>.npz``, "" where there is none.
    """

    id: str
    character: str
    split: str
    source: str = ""
    licence: str = ""
    author: str = ""
    url: str = ""
    sha256: str = ""
    start: float = 0.0
    end: float = 0.0
    fps: float = 0.0
    flags: tuple[str, ...] = ()
    recipe: str = ""
    frames: int = 0
    width: int = 0
    height: int = 0
    video: str = ""
    video_sha256: str = ""
    video_bytes: int = 0
    truth_sha256: str = ""

    def validate(self) -> "ClipRow":
        """Check what becomes a file name or a choice; returns itself. Raises StoreError naming the clip."""
        if not _SAFE_ID.fullmatch(self.id):
            raise StoreError(
                f"clip id {self.id!r}: use 1 to 128 of A-Z a-z 0-9 _ . -, not starting with . or -"
            )
        if self.split not in SPLITS:
            raise StoreError(f"clip {self.id}: split {self.split!r} is not one of: {', '.join(SPLITS)}")
        if self.video not in ("", ".mkv", ".mp4"):
            raise StoreError(f"clip {self.id}: video {self.video!r} is not .mkv or .mp4")
        if not self.character:
            raise StoreError(f"clip {self.id}: has no character name")
        return self

    def to_dict(self) -> dict[str, object]:
        """Plain types, as in the table."""
        return asdict(self) | {"flags": list(self.flags)}


@dataclass(frozen=True)
class ClipLabels:
    """Everything known about the frames of one clip but their pixels.

    A joint of confidence 0 has no known place: its keypoint is any finite number in [-0.5, 1.5] and is never
    read. A joint with confidence lies within the frame.

    Attributes:
        keypoints: float32 [T, J, 2], x, y in [0, 1] of width and height, pixel centres at (i + 0.5) / size.
        confidence: float32 [T, J], 0 = missing, 1 = certain.
        layer: int64 [T, J], depth layer, 0 nearest.
        expression, expression_confidence: float32 [T, E] in [0, 1]; confidence 0 = not labelled.
        time: float64 [T] seconds, growing.
        hold: int64 [T]; the same drawing shown again has the same id.
        origin: T of ``ORIGINS``; one name stands for all.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    layer: np.ndarray
    expression: np.ndarray
    expression_confidence: np.ndarray
    time: np.ndarray
    hold: np.ndarray
    origin: str | tuple[str, ...] = field(default="detected")

    def origins(self) -> tuple[str, ...]:
        """One origin per frame."""
        return (self.origin,) * len(self.time) if isinstance(self.origin, str) else self.origin

    def validate(self, clip: str, joints: int, expressions: int) -> "ClipLabels":
        """Check shapes and values against the legend; returns itself.

        Raises:
            StoreError: names the clip, the field and the frame.
        """
        t = len(self.time)
        shapes = {
            "keypoints": (t, joints, 2),
            "confidence": (t, joints),
            "layer": (t, joints),
            "expression": (t, expressions),
            "expression_confidence": (t, expressions),
            "time": (t,),
            "hold": (t,),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if np.shape(value) != shape:
                raise StoreError(f"clip {clip}: {name} has shape {np.shape(value)}, expected {shape}")
            if not np.isfinite(value).all():
                frame = _first_bad_frame(~np.isfinite(value))
                raise StoreError(f"clip {clip}, frame {frame}: {name} is not a finite number")
        seen = self.confidence[..., None] > 0
        low, high = np.where(seen, 0.0, -OUT_OF_FRAME), np.where(seen, 1.0, 1.0 + OUT_OF_FRAME)
        outside = (self.keypoints < low - 1e-6) | (self.keypoints > high + 1e-6)
        if outside.any():
            frame, joint, _ = np.argwhere(outside)[0]
            point = self.keypoints[frame, joint].tolist()
            raise StoreError(
                f"clip {clip}, frame {frame}: joint {joint} at {point} with confidence "
                f"{self.confidence[frame, joint]:g} is outside the frame [0, 1]; give joints out of frame "
                f"confidence 0 and a place within {OUT_OF_FRAME:g} of it"
            )
        for name in ("confidence", "expression", "expression_confidence"):
            value = getattr(self, name)
            outside = (value < 0) | (value > 1)
            if outside.any():
                raise StoreError(f"clip {clip}, frame {_first_bad_frame(outside)}: {name} is outside [0, 1]")
        for name, highest in (("layer", np.iinfo(np.int16).max), ("hold", np.iinfo(np.int64).max)):
            outside = (getattr(self, name) < 0) | (getattr(self, name) > highest)
            if outside.any():
                raise StoreError(
                    f"clip {clip}, frame {_first_bad_frame(outside)}: {name} is negative or too large"
                )
        if t > 1 and (np.diff(self.time) <= 0).any():
            frame = int(np.argmax(np.diff(self.time) <= 0)) + 1
            raise StoreError(f"clip {clip}, frame {frame}: time does not grow")
        if len(self.origins()) != t or not set(self.origins()) <= set(ORIGINS):
            raise StoreError(f"clip {clip}: origin {self.origin!r}, expected {t} of: {', '.join(ORIGINS)}")
        return self


def sha256_of(file: Path) -> str:
    """Hash of a file's bytes, as hexadecimal digits."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _first_bad_frame(bad: np.ndarray) -> int:
    return int(np.argwhere(bad)[0][0])
