"""Skeletons: joint names, edges, left/right pairs, depth layers; and maps from other conventions to canonical25."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .errors import UserError


@dataclass(frozen=True)
class Skeleton:
    """A set of named joints.

    Attributes:
        name: what people call it.
        joints: J unique names.
        edges: limbs as (parent, child) joint indices.
        flip_pairs: (left, right) joint indices exchanged by a mirror.
        layers: default depth layer of each joint, 0 nearest the viewer; a frame may carry its own.
    """

    name: str
    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]
    layers: tuple[int, ...]

    def __post_init__(self) -> None:
        count = len(self.joints)
        if len(set(self.joints)) != count:
            raise UserError(f"skeleton {self.name}: joint names repeat: {self.joints}")
        if len(self.layers) != count:
            raise UserError(f"skeleton {self.name}: {len(self.layers)} layers for {count} joints")
        for pair in (*self.edges, *self.flip_pairs):
            if not all(0 <= j < count for j in pair):
                raise UserError(f"skeleton {self.name}: joint index {pair} is outside 0..{count - 1}")

    def flip_permutation(self) -> np.ndarray:
        """int64 [J]: joint j of the mirrored picture is joint ``perm[j]`` of the original."""
        order = np.arange(len(self.joints))
        for a, b in self.flip_pairs:
            order[a], order[b] = b, a
        return order

    def to_dict(self) -> dict[str, object]:
        """Plain types for JSON."""
        return {
            "name": self.name,
            "joints": list(self.joints),
            "edges": [list(e) for e in self.edges],
            "flip_pairs": [list(p) for p in self.flip_pairs],
            "layers": list(self.layers),
        }

    @staticmethod
    def from_dict(data: dict) -> "Skeleton":
        """Inverse of :meth:`to_dict`. Raises UserError where a field is missing or inconsistent."""
        try:
            return Skeleton(
                name=str(data["name"]),
                joints=tuple(str(j) for j in data["joints"]),
                edges=tuple((int(a), int(b)) for a, b in data["edges"]),
                flip_pairs=tuple((int(a), int(b)) for a, b in data["flip_pairs"]),
                layers=tuple(int(v) for v in data["layers"]),
            )
        except UserError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"skeleton description is incomplete: {error}") from None


# OpenPose-18 in its own order (what ControlNet and DWPose speak), then mid-hip and six foot points.
_JOINTS = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear "
    "mid_hip left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
).split()
_EDGES = (
    "neck-nose neck-right_shoulder right_shoulder-right_elbow right_elbow-right_wrist "
    "neck-left_shoulder left_shoulder-left_elbow left_elbow-left_wrist neck-mid_hip "
    "mid_hip-right_hip right_hip-right_knee right_knee-right_ankle "
    "mid_hip-left_hip left_hip-left_knee left_knee-left_ankle "
    "nose-right_eye right_eye-right_ear nose-left_eye left_eye-left_ear "
    "left_ankle-left_heel left_ankle-left_big_toe left_big_toe-left_small_toe "
    "right_ankle-right_heel right_ankle-right_big_toe right_big_toe-right_small_toe"
).split()


def _canonical25() -> Skeleton:
    index = {name: i for i, name in enumerate(_JOINTS)}
    edges = tuple((index[a], index[b]) for a, b in (edge.split("-") for edge in _EDGES))
    pairs = tuple((index[n], index[n.replace("left_", "right_")]) for n in _JOINTS if n.startswith("left_"))
    return Skeleton("canonical25", tuple(_JOINTS), edges, pairs, (1,) * len(_JOINTS))


CANONICAL25 = _canonical25()

# For each canonical25 joint the source joint, two joints joined by "+" whose middle it is, or "-" where it has none.
_TO_CANONICAL25 = {
    "openpose18": "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 11+8 - - - - - -",
    "body25": "0 1 2 3 4 5 6 7 9 10 11 12 13 14 15 16 17 18 8 19 20 21 22 23 24",
    "coco17": "0 5+6 6 8 10 5 7 9 12 14 16 11 13 15 2 1 4 3 11+12 - - - - - -",
    "mediapipe33": "0 11+12 12 14 16 11 13 15 24 26 28 23 25 27 5 2 8 7 23+24 31 - 29 32 - 30",
    "dwpose133": "0 5+6 6 8 10 5 7 9 12 14 16 11 13 15 2 1 4 3 11+12 17 18 19 20 21 22",
    "canonical25": " ".join(str(j) for j in range(25)),
}
CONVENTIONS = tuple(_TO_CANONICAL25)

_SAME_PLACE = {"head": "nose", "hand": "wrist", "foot": "ankle"}
"""Coarser words that people use for about the same joint."""


def canonical_name(joint: str) -> str:
    """A joint's name as canonical25 spells it: ``Left-Hand`` and ``left wrist`` are left_wrist; unknown ones stay."""
    words = joint.lower().replace("-", "_").replace(" ", "_").split("_")
    return "_".join(_SAME_PLACE.get(word, word) for word in words)


def canonical_joints(skeleton: Skeleton) -> dict[int, int]:
    """Index of a skeleton's joint -> index of the same one in canonical25, by name (``Left-Hand`` is left_wrist).

    Joints that canonical25 has no name for, such as those of a tail, are left out.
    """
    found = {}
    for index, joint in enumerate(skeleton.joints):
        name = canonical_name(joint)
        if name in CANONICAL25.joints:
            found[index] = CANONICAL25.joints.index(name)
    return found


@lru_cache(maxsize=8)
def limbs(skeleton: Skeleton) -> tuple[tuple[int, ...], ...]:
    """What can be missing without the rest losing its place: joints, for each edge its child and everything beyond it,
    where that is less than half of the skeleton. A leg, a shin with its foot and a toe are three of them."""
    beyond: dict[int, list[int]] = {}
    for parent, child in skeleton.edges:
        beyond.setdefault(parent, []).append(child)
    found = []
    for parent, child in skeleton.edges:
        limb, open_ = {child}, [child]
        while open_:
            new = [j for j in beyond.get(open_.pop(), []) if j not in limb and j != parent]
            limb.update(new)
            open_ += new
        if 2 * len(limb) < len(skeleton.joints):
            found.append(tuple(sorted(limb)))
    return tuple(found)


def to_canonical25(
    keypoints: np.ndarray, confidence: np.ndarray, convention: str
) -> tuple[np.ndarray, np.ndarray]:
    """Map keypoints of another convention to canonical25.

    Args:
        keypoints: float [..., J, 2].
        confidence: float [..., J]; 0 = missing.
        convention: one of ``CONVENTIONS``.
    Returns:
        keypoints [..., 25, 2] and confidence [..., 25]; a middle point has the lower confidence of its two.
    Raises:
        UserError: unknown convention, or too few joints for it.
    """
    if convention not in _TO_CANONICAL25:
        raise UserError(f"skeleton convention {convention!r} is not one of: {', '.join(CONVENTIONS)}")
    out_points = np.zeros((*keypoints.shape[:-2], 25, 2), np.float32)
    out_confidence = np.zeros((*confidence.shape[:-1], 25), np.float32)
    sources = _TO_CANONICAL25[convention].split()
    known = [target for target, source in enumerate(sources) if source != "-"]
    # A joint that is no middle is the middle of itself.
    pairs = np.array([(sources[target].split("+") * 2)[:2] for target in known]).astype(int)
    if pairs.max() >= keypoints.shape[-2]:
        raise UserError(
            f"{convention} needs joint {pairs.max()}, but only {keypoints.shape[-2]} joints were given"
        )
    out_points[..., known, :] = keypoints[..., pairs, :].mean(axis=-2)
    out_confidence[..., known] = confidence[..., pairs].min(axis=-1)
    return out_points, out_confidence


def from_canonical25(
    keypoints: np.ndarray, confidence: np.ndarray, convention: str, joints: int
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of :func:`to_canonical25`: what canonical25 does not have is missing, middles of two are left out.

    Args:
        keypoints: float [..., 25, 2].
        confidence: float [..., 25].
        convention: one of ``CONVENTIONS``.
        joints: J of the convention.
    Returns:
        keypoints [..., J, 2] and confidence [..., J], of the types given; 0 where missing.
    Raises:
        UserError: unknown convention.
    """
    if convention not in _TO_CANONICAL25:
        raise UserError(f"skeleton convention {convention!r} is not one of: {', '.join(CONVENTIONS)}")
    out_points = np.zeros((*keypoints.shape[:-2], joints, 2), keypoints.dtype)
    out_confidence = np.zeros((*confidence.shape[:-1], joints), confidence.dtype)
    for source, target in enumerate(_TO_CANONICAL25[convention].split()):
        if target.isdigit():
            out_points[..., int(target), :] = keypoints[..., source, :]
            out_confidence[..., int(target)] = confidence[..., source]
    return out_points, out_confidence
