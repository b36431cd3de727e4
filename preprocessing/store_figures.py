"""What a store's labels cover: figures of every clip, and sums over all frames. No picture is decoded for them."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from temporal_gan.data.manifest import ClipLabels, ClipRow
from temporal_gan.data.store import Store
from temporal_gan.expressions import CLASSES
from temporal_gan.skeletons import CANONICAL25, Skeleton, canonical_joints

from .outcome import Outcome

MAP_SIDE = 40
"""Cells of a map of joints, on each side of the frame."""

ANGLES = 24
"""Directions a limb is counted in, 15 degrees each; the first is centred on pointing right, the next ones turn
clockwise as seen on the screen."""

INTENSITY_BINS, SCALE_BINS = 10, 20
UNLABELLED = "not labelled"

_GROUPS = {
    "head": ("nose", "right_eye", "left_eye", "right_ear", "left_ear"),
    "hands": ("right_wrist", "left_wrist"),
    "feet": ("right_ankle", "left_ankle", "left_big_toe", "left_heel", "right_big_toe", "right_heel"),
}
_LIMBS = (
    "neck-mid_hip right_shoulder-right_elbow right_elbow-right_wrist left_shoulder-left_elbow left_elbow-left_wrist "
    "right_hip-right_knee right_knee-right_ankle left_hip-left_knee left_knee-left_ankle"
).split()
_MOST_LIMBS = 12


@dataclass(frozen=True)
class ClipFigures:
    """One clip.

    Attributes:
        row: its row in the store.
        seconds: how long it plays.
        pose: share of frames with at least one known joint, in [0, 1].
        joints: mean over all frames of the share of joints known, in [0, 1].
        confidence: mean confidence of the known joints; None where none is.
        expression: share of frames with at least one expression channel known.
        drawings_per_second: None for a single frame.
        scale: mean over frames of the longer side of the box round the known joints, in frame sizes; None = no pose.
        origins: origin of labels -> frames.
        outcome: what the run said of it; None where the store does not come from ``run``.
    """

    row: ClipRow
    seconds: float
    pose: float
    joints: float
    confidence: float | None
    expression: float
    drawings_per_second: float | None
    scale: float | None
    origins: dict[str, int]
    outcome: Outcome | None

    @property
    def facts(self) -> dict[str, float]:
        """The run's figures of this clip; those that are no number are unknown."""
        told = self.outcome.facts if self.outcome else {}
        return {name: value for name, value in told.items() if math.isfinite(value)}

    @property
    def face(self) -> float | None:
        """Share of frames in which a face was found; None where nobody looked."""
        found = self.facts.get("frames_with_face")
        return None if found is None else found / self.row.frames

    @property
    def enlargement(self) -> float | None:
        """Pixels of the store per pixel of the source; None where the clip was not cropped."""
        scale = self.facts.get("crop_scale", 0.0)
        return 1 / scale if scale > 0 else None


@dataclass
class Coverage:
    """Sums over all frames of a store of J joints and E expression channels.

    Attributes:
        skeleton, expressions: of the store.
        groups: name -> joints of it; ``all``, and head, hands and feet where the skeleton has them.
        limbs: (parent, child) joints whose directions are counted.
        frames: number of them.
        joint_frames, joint_confidence: int64 and float64 [J], frames that know a joint, and the sum of its confidence.
        maps: group -> int64 [MAP_SIDE, MAP_SIDE], where its joints were, row by row from the top.
        angles: int64 [L, ANGLES] directions of limbs in pixels.
        scale: int64 [SCALE_BINS] of [0, 1]: longer side of the box round the known joints in frame sizes.
        classes: strongest expression class, or UNLABELLED -> frames.
        intensity: int64 [E, INTENSITY_BINS] of [0, 1], frames in which the channel is known.
        origins: origin of labels -> frames.
    """

    skeleton: Skeleton
    expressions: tuple[str, ...]
    groups: dict[str, list[int]]
    limbs: list[tuple[int, int]]
    joint_frames: np.ndarray
    joint_confidence: np.ndarray
    maps: dict[str, np.ndarray]
    angles: np.ndarray
    intensity: np.ndarray
    scale: np.ndarray = field(default_factory=lambda: np.zeros(SCALE_BINS, np.int64))
    frames: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def of(skeleton: Skeleton, expressions: tuple[str, ...]) -> "Coverage":
        """Of no frame yet."""
        place = {CANONICAL25.joints[c]: j for j, c in canonical_joints(skeleton).items()}
        groups = {"all": list(range(len(skeleton.joints)))}
        for name, joints in _GROUPS.items():
            if known := [place[joint] for joint in joints if joint in place]:
                groups[name] = known
        pairs = [limb.split("-") for limb in _LIMBS]
        limbs = [(place[a], place[b]) for a, b in pairs if a in place and b in place]
        limbs = limbs or list(skeleton.edges[:_MOST_LIMBS])
        count = len(skeleton.joints)
        return Coverage(
            skeleton,
            expressions,
            groups,
            limbs,
            joint_frames=np.zeros(count, np.int64),
            joint_confidence=np.zeros(count),
            maps={name: np.zeros((MAP_SIDE, MAP_SIDE), np.int64) for name in groups},
            angles=np.zeros((len(limbs), ANGLES), np.int64),
            intensity=np.zeros((len(expressions), INTENSITY_BINS), np.int64),
        )

    def add(self, labels: ClipLabels, width: int, height: int) -> None:
        """Count the frames of one clip of this many pixels."""
        known = labels.confidence > 0
        self.frames += len(known)
        self.joint_frames += known.sum(axis=0)
        self.joint_confidence += labels.confidence.sum(axis=0, dtype=np.float64)
        for name, joints in self.groups.items():
            x, y = labels.keypoints[:, joints][known[:, joints]].T
            cells = (_bins(y, MAP_SIDE), _bins(x, MAP_SIDE))
            np.add.at(self.maps[name], cells, 1)
        for limb, (start, end) in enumerate(self.limbs):
            both = known[:, start] & known[:, end]
            step = (labels.keypoints[:, end] - labels.keypoints[:, start])[both]
            step = step[np.abs(step).max(axis=1, initial=0.0) > 0] * (width, height)
            turn = np.arctan2(step[:, 1], step[:, 0]) / (2 * np.pi)
            np.add.at(self.angles[limb], np.rint(turn * ANGLES).astype(int) % ANGLES, 1)
        extents = box_extents(labels)
        self.scale += np.bincount(_bins(extents[np.isfinite(extents)], SCALE_BINS), minlength=SCALE_BINS)
        self.origins.update(labels.origins())
        self._add_expressions(labels)

    def _add_expressions(self, labels: ClipLabels) -> None:
        known = labels.expression_confidence > 0
        for channel in range(len(self.expressions)):
            values = labels.expression[known[:, channel], channel]
            self.intensity[channel] += np.bincount(_bins(values, INTENSITY_BINS), minlength=INTENSITY_BINS)
        classes = [e for e, name in enumerate(self.expressions) if name in CLASSES]
        if not classes:
            self.classes[UNLABELLED] += len(known)
            return
        values = np.where(known[:, classes], labels.expression[:, classes], -1.0)
        strongest, named = values.argmax(axis=1), known[:, classes].any(axis=1)
        for channel, count in enumerate(np.bincount(strongest[named], minlength=len(classes))):
            self.classes[self.expressions[classes[channel]]] += int(count)
        self.classes[UNLABELLED] += int((~named).sum())


def collect_figures(store: Store, outcomes: list[Outcome], coverage: Coverage) -> Iterator[ClipFigures]:
    """Figures of every clip, in the store's order; each clip's labels are read once and added to ``coverage``.

    Args:
        store: any.
        outcomes: of the run that made it; [] = none known.
        coverage: :meth:`Coverage.of` the store's skeleton and expressions.
    Raises:
        StoreError: labels that break the legend.
    """
    told = {outcome.clip: outcome for outcome in outcomes if outcome.clip and outcome.state == "kept"}
    for row in store.clips:
        labels = store.labels(row.id)
        coverage.add(labels, row.width, row.height)
        yield clip_figures(row, labels, told.get(row.id))


def clip_figures(row: ClipRow, labels: ClipLabels, outcome: Outcome | None) -> ClipFigures:
    """Figures of one clip."""
    known = labels.confidence > 0
    fps = row.fps or 1.0
    seconds = float(labels.time[-1] - labels.time[0]) + 1 / fps
    drawings = 1 + int((np.diff(labels.hold) != 0).sum())
    extents = box_extents(labels)
    return ClipFigures(
        row=row,
        seconds=seconds,
        pose=float(known.any(axis=1).mean()),
        joints=float(known.mean()) if known.size else 0.0,
        confidence=float(labels.confidence[known].mean(dtype=np.float64)) if known.any() else None,
        expression=float((labels.expression_confidence > 0).any(axis=1).mean()),
        drawings_per_second=drawings / seconds if row.frames > 1 else None,
        scale=float(np.nanmean(extents)) if np.isfinite(extents).any() else None,
        origins=dict(Counter(labels.origins())),
        outcome=outcome,
    )


def box_extents(labels: ClipLabels) -> np.ndarray:
    """float64 [T]: the longer side of the box round the known joints, in frame widths and heights; nan where fewer
    than two are known."""
    known = labels.confidence > 0
    low = np.where(known[..., None], labels.keypoints, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known[..., None], labels.keypoints, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(known.sum(axis=1) >= 2, (high - low).max(axis=1), np.nan)


def _bins(values: np.ndarray, count: int) -> np.ndarray:
    """Bin numbers of values in [0, 1]."""
    return np.clip((values * count).astype(int), 0, count - 1)
