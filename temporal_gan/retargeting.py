"""A motion carried over to a body of other proportions."""

from dataclasses import replace

import numpy as np

from .pose_files import PoseSequence
from .skeletons import Skeleton

STRETCHED = 0.9
"""Quantile of a limb's length over a motion that counts as its length: foreshortened, it is shorter."""

MOST_UNLIKE = 2.0
"""A limb is scaled by no more than this times the body's own scale, up or down: what is measured shorter in a picture
points at the viewer."""

HEAD = "nose"
"""Limbs from here on belong to the head, which is stiff: ears that stand up in the pictures stand up."""

UNEVEN = np.pi / 4
"""Where left and right of the head differ by more, it looks elsewhere in the pictures, and says nothing."""


def retarget(sequence: PoseSequence, keypoints: np.ndarray, confidence: np.ndarray) -> PoseSequence:
    """Scale each limb of a motion to the length it has in pictures of another body.

    Limbs keep their directions, but for the head's; left and right ones are scaled alike; a limb that no picture shows
    follows the body's scale, the ratio of all lengths together. The lowest joint moves as it did, so feet stay on the
    ground, which is where the pictures' lowest joint is; the root (the joint no limb leads to) stands in the middle of
    where the pictures have it.

    Args:
        sequence: of the motion, with every joint in every frame at a finite place.
        keypoints: float [R, J, 2] in [0, 1], the body's joints in R pictures.
        confidence: float [R, J], 0 = missing.
    Returns:
        the same frames; joints that no picture shows, or that leave the frame, have confidence 0.
    """
    seen = np.asarray(confidence) > 0
    there = np.asarray(seen.any(axis=0))
    limbs = _limbs(sequence.keypoints, sequence.skeleton)
    scale, ratio = _ratios(limbs, keypoints, seen, sequence.skeleton)
    pictured = _limbs(keypoints, sequence.skeleton)
    turn = _head_turns(limbs, pictured, _shown(seen, sequence.skeleton), sequence.skeleton)
    limbs = ratio[:, None] * np.stack(
        [
            np.cos(turn) * limbs[..., 0] - np.sin(turn) * limbs[..., 1],
            np.sin(turn) * limbs[..., 0] + np.cos(turn) * limbs[..., 1],
        ],
        axis=-1,
    )
    moved = scale * sequence.keypoints
    order, roots = _outwards(sequence.skeleton)
    for number in order:
        parent, child = sequence.skeleton.edges[number]
        moved[:, child] = moved[:, parent] + limbs[:, number]
    sunk = moved[..., 1].max(axis=1) - scale * sequence.keypoints[..., 1].max(axis=1)
    moved[..., 1] -= sunk[:, None]

    root = next((j for j in roots if there[j]), int(np.argmax(there)))
    ground = np.where(seen, keypoints[..., 1], -np.inf).max(axis=1)
    stands = np.median(moved[:, root, 0]), np.quantile(moved[:, there, 1].max(axis=1), STRETCHED)
    wanted = keypoints[seen[:, root], root, 0].mean(), np.quantile(ground[np.isfinite(ground)], STRETCHED)
    moved += np.array(wanted) - np.array(stands)
    inside = ((moved >= 0) & (moved <= 1)).all(axis=-1)
    kept = np.where(inside & there, sequence.confidence, 0.0).astype(np.float32)
    return replace(sequence, keypoints=np.clip(moved, 0, 1).astype(np.float32), confidence=kept)


def _limbs(keypoints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """[N, J, 2] -> [N, L, 2], from each limb's start to its end."""
    start, end = np.array(skeleton.edges, int).reshape(-1, 2).T
    return np.asarray(keypoints[:, end] - keypoints[:, start], np.float64)


def _shown(seen: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """bool [R, J] -> bool [R, L]."""
    start, end = np.array(skeleton.edges, int).reshape(-1, 2).T
    return np.logical_and(seen[:, start], seen[:, end])


def _ratios(
    limbs: np.ndarray, keypoints: np.ndarray, seen: np.ndarray, skeleton: Skeleton
) -> tuple[float, np.ndarray]:
    """The body's scale, and each limb's [L]."""
    ours = np.quantile(np.linalg.norm(limbs, axis=-1), STRETCHED, axis=0)
    pictured, shown = np.linalg.norm(_limbs(keypoints, skeleton), axis=-1), _shown(seen, skeleton)
    theirs = np.array(
        [np.quantile(p[s], STRETCHED) if s.any() else 0 for p, s in zip(pictured.T, shown.T, strict=True)]
    )
    shared = (theirs > 0) & (ours > 1e-6)
    if not shared.any():
        return 1.0, np.ones(len(ours))
    scale = float(theirs[shared].sum() / ours[shared].sum())
    other = _mirrored_limbs(skeleton)
    both = (theirs * shared) + (theirs * shared)[other], (ours * shared) + (ours * shared)[other]
    ratio = np.where(both[1] > 0, both[0] / np.maximum(both[1], 1e-6), scale)
    return scale, ratio.clip(scale / MOST_UNLIKE, scale * MOST_UNLIKE)


def _head_turns(limbs: np.ndarray, pictured: np.ndarray, shown: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Radians [L] by which a limb of the head points elsewhere in the pictures than in the motion; 0 for all others.

    Left and right turn by the same, up or down, so that neither a head's tilt nor its look to one side counts.
    """
    turn = np.zeros(len(skeleton.edges))
    beyond = {skeleton.joints.index(HEAD)} if HEAD in skeleton.joints else set()
    mirror = _mirrored_limbs(skeleton)
    for number in _outwards(skeleton)[0]:
        parent, child = skeleton.edges[number]
        if parent not in beyond:
            continue
        beyond.add(child)
        here, there = (
            _angle(limbs[:, n].mean(0), pictured[shown[:, n], n].sum(0)) for n in (number, mirror[number])
        )
        uneven = _wrapped(here + there)
        if mirror[number] != number and abs(uneven) < UNEVEN:
            turn[number] = here - uneven / 2
    return turn


def _mirrored_limbs(skeleton: Skeleton) -> list[int]:
    """For each limb the one of the other side, or itself."""
    flip = skeleton.flip_permutation()
    place = {frozenset(edge): number for number, edge in enumerate(skeleton.edges)}
    return [place.get(frozenset((int(flip[a]), int(flip[b]))), n) for n, (a, b) in enumerate(skeleton.edges)]


def _angle(first: np.ndarray, second: np.ndarray) -> float:
    """From one vector [2] to another, radians; 0 where there is none."""
    return float(np.arctan2(first[0] * second[1] - first[1] * second[0], first @ second))


def _wrapped(angle: float) -> float:
    """To [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _outwards(skeleton: Skeleton) -> tuple[list[int], list[int]]:
    """Limbs, each after the one that leads to it, and the joints that none leads to."""
    roots = [j for j in range(len(skeleton.joints)) if all(child != j for _, child in skeleton.edges)]
    order: list[int] = []
    reached, open_ = set(roots), list(roots)
    for joint in open_:
        for number, (parent, child) in enumerate(skeleton.edges):
            if parent == joint and child not in reached:
                reached.add(child)
                open_.append(child)
                order.append(number)
    return order, roots
