"""Exchanged sides: injected ones are found, true poses stay, people's labels never move."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from preprocessing.clip import Clip, Pose, Source
from preprocessing.pose.swap import GROUPS, SwapConfig, exchange_sides, repair_swaps, swap_states
from temporal_gan.data.manifest import ORIGINS
from temporal_gan.puppet import MOTIONS, motion_keypoints
from temporal_gan.skeletons import CANONICAL25

FRAMES = 24


def puppet_pose(motion: str, fps: float, character: str = "kaito") -> Pose:
    points = motion_keypoints(character, motion, FRAMES, fps, 1)[0]
    noise = np.random.default_rng(3).normal(0, 0.004, points.shape)
    nothing = Pose.nothing(FRAMES, "")
    return replace(
        nothing, keypoints=(points + noise).astype(np.float32), confidence=np.ones((FRAMES, 25), np.float32)
    )


def injected(seed: int, share: float = 0.25) -> np.ndarray:
    return np.random.default_rng(seed).random((FRAMES, 3)) < share


def clip_of(pose: Pose, fps: float = 12.0) -> Clip:
    frames = np.zeros((FRAMES, 64, 64, 3), np.uint8)
    source = Source(Path("x"), "x", "0", "x")
    return Clip("x", source, 0, FRAMES / fps, fps, frames, np.arange(FRAMES), np.arange(FRAMES), pose)


@pytest.mark.parametrize("motion", ["walk", "run", "dance", "wave"])
@pytest.mark.parametrize("fps", [12.0, 24.0])
def test_injected_swaps_of_arms_and_legs_are_all_found(motion: str, fps: float) -> None:
    pose, wrong = puppet_pose(motion, fps), injected(5)
    states = swap_states(
        exchange_sides(pose, wrong).keypoints, pose.confidence, np.arange(FRAMES) / fps, SwapConfig()
    )
    np.testing.assert_array_equal(states[:, :2], wrong[:, :2])


def test_true_poses_of_every_motion_stay() -> None:
    moved = 0
    for motion in MOTIONS:
        pose = puppet_pose(motion, 8.0)
        moved += int(
            swap_states(pose.keypoints, pose.confidence, np.arange(FRAMES) / 8, SwapConfig())[:, :2].sum()
        )
    assert moved <= 0.005 * len(MOTIONS) * FRAMES * 2


def test_repair_gives_the_true_clip_back() -> None:
    pose = puppet_pose("run", 12.0)
    hands = np.random.default_rng(0).random((FRAMES, 2, 21, 3)).astype(np.float32)
    pose = replace(pose, hands=hands)
    wrong = injected(9)
    wrong[:, 2] = False
    repaired = repair_swaps(clip_of(exchange_sides(pose, wrong)), SwapConfig())
    assert repaired.pose is not None
    np.testing.assert_array_equal(repaired.pose.keypoints[:, list(GROUPS[0] + GROUPS[1])],
                                  pose.keypoints[:, list(GROUPS[0] + GROUPS[1])])  # fmt: skip
    np.testing.assert_array_equal(repaired.pose.hands, hands)
    assert dict(repaired.facts)["swaps_repaired"] >= wrong.any(axis=1).sum()


def test_labels_of_people_never_move() -> None:
    pose, wrong = puppet_pose("run", 12.0), injected(9)
    pose = exchange_sides(pose, wrong)
    pose = replace(pose, origin=np.full_like(pose.origin, ORIGINS.index("manual")))
    repaired = repair_swaps(clip_of(pose), SwapConfig())
    assert repaired.pose is not None
    np.testing.assert_array_equal(repaired.pose.keypoints, pose.keypoints)


def test_exchange_twice_is_nothing_and_touches_no_middle_joint() -> None:
    pose, wrong = puppet_pose("walk", 12.0), injected(1, 0.5)
    hands = np.random.default_rng(0).random((FRAMES, 2, 21, 3)).astype(np.float32)
    once = exchange_sides(replace(pose, hands=hands), wrong)
    assert once.hands is not None
    np.testing.assert_array_equal(once.hands[wrong[:, 0]], hands[wrong[:, 0]][:, ::-1])
    np.testing.assert_array_equal(once.hands[~wrong[:, 0]], hands[~wrong[:, 0]])
    np.testing.assert_array_equal(exchange_sides(once, wrong).keypoints, pose.keypoints)
    for name in ("nose", "neck", "mid_hip"):
        joint = CANONICAL25.joints.index(name)
        np.testing.assert_array_equal(once.keypoints[:, joint], pose.keypoints[:, joint])


def test_far_apart_drawings_of_a_runner_are_put_right_by_the_swing_of_arms_alone() -> None:
    j = CANONICAL25.joints.index
    points = np.zeros((1, 25, 2))
    for name, place in {
        "neck": (0, 0), "mid_hip": (0, 1), "left_shoulder": (0.05, 0), "right_shoulder": (-0.05, 0),
        "left_elbow": (-0.3, 0.4), "left_wrist": (-0.5, 0.6), "right_elbow": (0.3, 0.4), "right_wrist": (0.6, 0.5),
        "left_knee": (0.5, 1.5), "left_ankle": (0.6, 2.0), "right_knee": (-0.2, 1.6), "right_ankle": (-0.7, 2.0),
    }.items():  # fmt: skip
        points[0, j(name)] = place
    sure = np.ones((1, 25))
    assert not swap_states(points, sure, np.zeros(1), SwapConfig()).any()
    wrong = points.copy()
    for left, right in zip(GROUPS[0][::2], GROUPS[0][1::2], strict=True):
        wrong[0, [left, right]] = points[0, [right, left]]
    assert swap_states(wrong, sure, np.zeros(1), SwapConfig())[0, :2].sum() == 1
    frontal = wrong.copy()
    frontal[0, j("left_shoulder")], frontal[0, j("right_shoulder")] = (0.4, 0), (-0.4, 0)
    assert not swap_states(frontal, sure, np.zeros(1), SwapConfig()).any(), "no rule for who faces the viewer"


def test_clip_without_pose_is_left_alone() -> None:
    clip = replace(clip_of(puppet_pose("walk", 12.0)), pose=None)
    assert repair_swaps(clip, SwapConfig()) is clip
