"""Labels -> COCO's keypoint annotations, or COCO-WholeBody's, as :mod:`preprocessing.importers.coco` describes them."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25, Skeleton, from_canonical25

from ..importers.coco import COCO17
from ..label_track import LabelTrack

_COCO17_LIMBS = "16-14 14-12 17-15 15-13 12-13 6-12 7-13 6-7 6-8 7-9 8-10 9-11 2-3 1-2 1-3 2-4 3-5 4-6 5-7"
"""As COCO's own files have them, the first joint being 1."""


@dataclass
class CocoFile:
    """One annotation file in the making.

    ``v`` is 2 where a joint's confidence is above 0.5, 1 where it is lower, 0 where it is missing; the confidence
    itself stands beside it in ``keypoint_scores``, which other programs pass over. There is no place for expression,
    depth layers, drawings held, time and origin. ``whole_body`` writes the 17 joints and the 6 of the feet; face and
    hands, which a store does not keep, are marked as not valid, and neck and mid-hip come back as middles of two.

    Attributes:
        skeleton: of all labels.
        whole_body: write COCO-WholeBody's fields.
    """

    skeleton: Skeleton
    whole_body: bool
    _videos: list[dict[str, Any]] = field(default_factory=list)
    _images: list[dict[str, Any]] = field(default_factory=list)
    _annotations: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.whole_body and self.skeleton != CANONICAL25:
            raise UserError(
                f"COCO-WholeBody knows no skeleton {self.skeleton.name!r}; use --format coco, csv or charactergan"
            )

    def add(self, name: str, track: LabelTrack, size: tuple[int, int]) -> list[str]:
        """Add the frames of a clip; returns the file names they are expected to have."""
        video = {"id": len(self._videos) + 1, "name": name, "width": size[0], "height": size[1]}
        self._videos.append(video)
        names = [f"{name}/{frame:05d}.png" for frame in track.frame]
        for number, file_name in enumerate(names):
            image = {
                "id": len(self._images) + 1,
                "file_name": file_name,
                "width": size[0],
                "height": size[1],
                "video_id": video["id"],
                "frame_id": int(track.frame[number]),
            }
            self._images.append(image)
            annotation = _annotation(track, number, size, self.whole_body)
            where = {
                "id": len(self._annotations) + 1,
                "image_id": image["id"],
                "category_id": 1,
                "iscrowd": 0,
            }
            self._annotations.append(where | annotation)
        return names

    def write(self, file: Path) -> None:
        """Write the file."""
        joints = COCO17 if self.whole_body else self.skeleton.joints
        limbs = [[a + 1, b + 1] for a, b in self.skeleton.edges]
        if self.whole_body:
            limbs = [[int(end) for end in limb.split("-")] for limb in _COCO17_LIMBS.split()]
        person = self.skeleton == CANONICAL25
        category = {
            "id": 1,
            "name": "person" if person else self.skeleton.name,
            "supercategory": "person" if person else "character",
            "keypoints": list(joints),
            "skeleton": limbs,
        }
        data = {
            "videos": self._videos,
            "images": self._images,
            "annotations": self._annotations,
            "categories": [category],
        }
        file.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def _annotation(track: LabelTrack, number: int, size: tuple[int, int], whole_body: bool) -> dict[str, Any]:
    keypoints, confidence = (
        track.keypoints[number].astype(np.float64),
        track.confidence[number].astype(np.float64),
    )
    if whole_body:
        keypoints, confidence = from_canonical25(keypoints, confidence, "dwpose133", 133)
    pixels = keypoints * size - 0.5
    body = slice(0, 17) if whole_body else slice(None)
    seen = pixels[body][confidence[body] > 0]
    corner, extent = (seen.min(0), np.ptp(seen, axis=0)) if len(seen) else (np.zeros(2), np.zeros(2))
    fields = {
        "keypoints": _flat(pixels[body], confidence[body]),
        "keypoint_scores": confidence[body].tolist(),
        "num_keypoints": len(seen),
        "bbox": [*corner.tolist(), *extent.tolist()],
        "area": float(extent.prod()),
    }
    if not whole_body:
        return fields
    fields["foot_kpts"] = _flat(pixels[17:23], confidence[17:23])
    fields["foot_scores"] = confidence[17:23].tolist()
    fields["foot_valid"] = bool(confidence[17:23].any())
    for part, points in (("face", 68), ("lefthand", 21), ("righthand", 21)):
        fields |= {f"{part}_kpts": [0] * 3 * points, f"{part}_valid": False}
    return fields


def _flat(pixels: np.ndarray, confidence: np.ndarray) -> list[float]:
    flat: list[float] = []
    for (x, y), sure in zip(pixels.tolist(), confidence.tolist(), strict=True):
        flat += [x, y, 2 if sure > 0.5 else 1] if sure > 0 else [0, 0, 0]
    return flat
