"""The ladder: padding undone, gates before anything is kept, one look per drawing."""

from pathlib import Path

import numpy as np
import pytest

from preprocessing.clip import Clip, Source
from preprocessing.detection import BodyDetection
from preprocessing.pose.finding import LookConfig, PoseConfig, find_pose
from preprocessing.pose.swap import SwapConfig
from temporal_gan.puppet import motion_keypoints

SIZE = 240
CONFIG = PoseConfig(swap=SwapConfig(enabled=False))


class DotFinder:
    """Finds a body that is drawn as 25 dots on white, joint j in grey 10 + 9 j, if the picture is at least so wide."""

    name = "dots"

    def __init__(self, least_width: int = 0, blind_to_mirror: bool = False) -> None:
        self.least_width, self.blind_to_mirror = least_width, blind_to_mirror
        self.asked: list[tuple[int, float]] = []

    def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
        height, width = picture_u8.shape[:2]
        self.asked.append((width, threshold))
        if width < self.least_width or picture_u8[0, 0].min() < 255:
            return None
        points = np.zeros((25, 2), np.float32)
        for joint in range(25):
            y, x = np.nonzero((picture_u8 == 10 + 9 * joint).all(axis=-1))
            if not len(x):
                return None
            points[joint] = (x.mean() + 0.5) / width, (y.mean() + 0.5) / height
        if self.blind_to_mirror and points[0, 0] > 0.5:
            points[:, 1] = 1 - points[:, 1]
        return BodyDetection(points, np.full(25, 0.9, np.float32))

    def close(self) -> None:
        """Nothing."""


def drawn(points: np.ndarray) -> np.ndarray:
    picture = np.full((SIZE, SIZE, 3), 255, np.uint8)
    for joint, (x, y) in enumerate(points):
        picture[int(y), int(x)] = 10 + 9 * joint
    return picture


def dotted_clip(hold: list[int]) -> tuple[Clip, np.ndarray]:
    """A figure of dots apart from each other, left of the middle; exact places per drawing."""
    template = motion_keypoints("kaito", "jump", 8, 8, 1)[0][3] * SIZE
    order = np.arange(25)
    # Joints that share a pixel are moved apart.
    spread = np.stack([(order % 5) * 4.0 - 8, (order // 5) * 4.0 - 8], axis=1)
    points = np.floor(template * 0.9 + spread) + (-30, 10)
    count = max(hold) + 1
    moved = np.stack([points + (3 * d, 0) for d in range(count)])
    frames = np.stack([drawn(p) for p in moved])[hold]
    source = Source(Path("x.mp4"), "x.mp4", "0", "x")
    clip = Clip("x", source, 0, 1, 12, frames, np.arange(len(hold)), np.array(hold))
    assert len({tuple(p) for p in points}) == 25
    return clip, (moved + 0.5) / SIZE


def test_places_come_back_exactly_from_the_padded_picture() -> None:
    clip, exact = dotted_clip([0, 0, 1, 1, 1])
    backend = DotFinder(least_width=SIZE + 1)
    found = find_pose(clip, backend, CONFIG)
    assert found.pose is not None
    assert found.pose.verdict == ("",) * 5
    np.testing.assert_allclose(found.pose.keypoints, exact[clip.hold], atol=0.2 / SIZE)
    facts = dict(found.facts)
    assert (facts["frames_with_pose"], facts["pose_step_1"], facts["pose_step_2"]) == (5, 0, 2)


def test_it_looks_once_per_drawing_and_climbs_only_as_far_as_needed() -> None:
    clip, _ = dotted_clip([0, 0, 0, 1, 1, 1])
    backend = DotFinder()
    find_pose(clip, backend, CONFIG)
    # Two drawings: a look and one at the mirror image each.
    assert backend.asked == [(SIZE, 0.5), (SIZE, 0.3)] * 2


def test_what_the_mirror_image_denies_is_not_kept() -> None:
    clip, _ = dotted_clip([0, 1])
    ladder = (LookConfig(padding=0, threshold=0.5),)
    found = find_pose(clip, DotFinder(blind_to_mirror=True), PoseConfig(ladder=ladder))
    assert found.pose is not None
    assert found.pose.verdict == ("implausible: mirror image disagrees",) * 2
    assert not found.pose.confidence.any()
    assert dict(found.facts)["poses_implausible"] == 2


def test_nothing_there_is_not_detected() -> None:
    clip, _ = dotted_clip([0, 1])
    found = find_pose(clip, DotFinder(least_width=10_000), CONFIG)
    assert found.pose is not None
    assert found.pose.verdict == ("not detected",) * 2
    assert not found.pose.confidence.any()


def test_joints_outside_the_picture_and_doubtful_ones_are_missing() -> None:
    clip, exact = dotted_clip([0])

    class Outside(DotFinder):
        def detect_body(self, picture_u8: np.ndarray, threshold: float) -> BodyDetection | None:
            seen = super().detect_body(picture_u8, threshold)
            assert seen is not None
            seen.keypoints[10] += (0, 1)
            seen.confidence[9:11] = 0.9, 0.9
            seen.confidence[16] = 0.2
            return seen

    loose = PoseConfig.model_validate({"gates": {"leg_bone_max": 99}, "swap": {"enabled": False}})
    found = find_pose(clip, Outside(), loose)
    assert found.pose is not None
    assert found.pose.confidence[0, 10] == 0
    assert found.pose.confidence[0, 16] == 0
    assert found.pose.confidence[0, 9] == pytest.approx(0.9)
    assert (np.abs(found.pose.keypoints - 0.5) <= 1).all()


def test_alpha_is_looked_at_over_white() -> None:
    clip, exact = dotted_clip([0])
    alpha = np.where((clip.frames_u8 < 255).any(axis=-1, keepdims=True), 255, 0).astype(np.uint8)
    premultiplied = np.concatenate([clip.frames_u8 * (alpha > 0), alpha], axis=-1)
    found = find_pose(Clip(**{**vars(clip), "frames_u8": premultiplied}), DotFinder(), CONFIG)
    assert found.pose is not None
    np.testing.assert_allclose(found.pose.keypoints[0], exact[0], atol=0.2 / SIZE)
