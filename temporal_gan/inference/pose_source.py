"""The pose a user names (``--pose SRC``) as a sequence for a given animator."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data.letterbox import Letterbox
from ..data.store import Store
from ..drawings import read_animation
from ..errors import UserError
from ..models.conditioning import Domain
from ..pose_files import PoseSequence, read_openpose_folder
from ..puppet import CHARACTERS, motion_keypoints
from ..puppet.capture import read_capture
from ..puppet.cast import SAMPLE
from ..retargeting import retarget
from ..skeletons import CANONICAL25, Skeleton, canonical_joints


def read_pose(
    source: str,
    domain: Domain,
    character: str,
    frames: int | None,
    seed: int,
    body: Mapping[str, np.ndarray] | None = None,
) -> PoseSequence:
    """Resolve a pose source.

    Args:
        source: ``STORE#clip_id``, ``motion:NAME`` (a puppet motion, in the proportions of ``character`` where that
            is a puppet, of the cast or sampled), a folder of OpenPose JSON files, a BVH file (any rate, carried
            over to the same proportions), or a text file that lists labelled drawings (temporal_gan.drawings).
        domain: what the animator was trained for; its skeleton must be the source's, or, for a source of canonical25,
            have joints of the same names only.
        character: who is to move.
        frames: length wanted; None: the source's own (a motion: two seconds).
        seed: of a motion's variation.
        body: reference frames of a character that is no puppet: keypoints [R, J, 2] and confidence [R, J], whose
            proportions a motion or a BVH file is carried over to; None: it moves in those of the first puppet.
    Raises:
        UserError: unknown source, or another skeleton than the animator's.
    """
    if source.startswith("motion:"):
        count = frames or max(1, round(2 * domain.fps))
        sequence = _puppet_pose(source.removeprefix("motion:"), domain.fps, character, count, seed)
    elif source.lower().endswith(".bvh"):
        motion = f"bvh:{source}"
        count = frames or 1 + round(read_capture(motion).duration_sec * domain.fps)
        sequence = _puppet_pose(motion, domain.fps, character, count, seed)
    elif "#" in source:
        path, _, clip_id = source.rpartition("#")
        store = Store.open(Path(path))
        sequence = store_pose(store, clip_id)
    elif source.endswith(".txt"):
        sequence = read_animation(source)
    elif Path(source).is_dir():
        sequence = read_openpose_folder(source, domain.fps)
    else:
        raise UserError(
            f"--pose {source!r}: expected STORE#clip_id, motion:NAME, a folder of OpenPose JSON files, a .bvh file, "
            "or the animation_list.txt of labelled drawings"
        )
    if sequence.skeleton == CANONICAL25 != domain.skeleton:
        sequence = _under_names_of(sequence, domain.skeleton)
    if sequence.skeleton.joints != domain.skeleton.joints:
        raise UserError(
            f"--pose {source!r} is of skeleton {sequence.skeleton.name} ({len(sequence.skeleton.joints)} joints), "
            f"the animator of {domain.skeleton.name} ({len(domain.skeleton.joints)}); give a pose of that skeleton, "
            "for example STORE#clip_id of the store it was trained on, or the animation_list.txt of its drawings"
        )
    if is_performed(source) and body is not None and not is_puppet(character):
        sequence = retarget(sequence, body["keypoints"], body["confidence"])
    return sequence if frames is None else sequence.resampled(frames)


def is_performed(source: str) -> bool:
    """Whether a pose source is performed by a puppet, so that it can take on any proportions."""
    return source.startswith("motion:") or source.lower().endswith(".bvh")


def is_puppet(character: str) -> bool:
    """Whether this is the name of a puppet, of the cast or sampled."""
    return character in CHARACTERS or re.fullmatch(SAMPLE + r"\d+", character) is not None


def _under_names_of(sequence: PoseSequence, skeleton: Skeleton) -> PoseSequence:
    """A pose of canonical25 as one of another skeleton, if it has all its joints by name; else as it is."""
    same = canonical_joints(skeleton)
    if len(same) < len(skeleton.joints):
        return sequence
    taken = [same[joint] for joint in range(len(skeleton.joints))]
    return replace(
        sequence,
        keypoints=sequence.keypoints[:, taken],
        confidence=sequence.confidence[:, taken],
        layer=sequence.layer[:, taken],
        skeleton=skeleton,
    )


def _puppet_pose(motion: str, fps: float, character: str, frames: int, seed: int) -> PoseSequence:
    body = character if is_puppet(character) else next(iter(CHARACTERS))
    keypoints, confidence, layer = motion_keypoints(body, motion, frames, fps, seed)
    return PoseSequence(keypoints, confidence, layer, fps, CANONICAL25)


def store_pose(store: Store, clip_id: str) -> PoseSequence:
    """A clip's pose in the square frame that networks are trained on. Raises StoreError for an unknown clip."""
    labels, row = store.labels(clip_id), store.row(clip_id)
    square = Letterbox(row.width, row.height, max(row.width, row.height))
    keypoints = np.where(labels.confidence[..., None] > 0, square.points(labels.keypoints), 0.0).astype(
        np.float32
    )
    return PoseSequence(
        keypoints, labels.confidence, labels.layer, row.fps or store.info.fps, store.info.skeleton
    )


def pose_from_arrays(keypoints: np.ndarray, domain: Domain) -> PoseSequence:
    """float [T, J, 2] in [0, 1] as a certain pose on the skeleton's default layers.

    Raises:
        UserError: another shape, or a value that is not finite.
    """
    joints = len(domain.skeleton.joints)
    if keypoints.ndim != 3 or keypoints.shape[1:] != (joints, 2) or not len(keypoints):
        raise UserError(
            f"pose array is {keypoints.shape}, expected [T, {joints}, 2] for {domain.skeleton.name}"
        )
    if not np.isfinite(keypoints).all():
        raise UserError("pose array holds a value that is not a finite number")
    count = len(keypoints)
    layer = np.tile(np.array(domain.skeleton.layers, np.int64), (count, 1))
    return PoseSequence(
        keypoints.astype(np.float32), np.ones((count, joints), np.float32), layer, domain.fps, domain.skeleton
    )
