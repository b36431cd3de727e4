"""Every bound and constant of these stages changes what the stage does: none is there for show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from strange_media import source

from preprocessing.clip import Clip, Pose
from preprocessing.crop import CropConfig, plan_cut
from preprocessing.media_limits import MediaLimits, check_size
from preprocessing.pose.gates import GateConfig, implausible, out_of_line
from preprocessing.smooth import SmoothConfig, smooth_tracks
from preprocessing.split import SplitConfig, assign_splits
from temporal_gan.errors import StoreError
from temporal_gan.puppet import motion_keypoints

KEYPOINTS = motion_keypoints("kaito", "walk", 36, 24.0, 2)[0].astype(np.float64)
SURE = np.ones(25, np.float32)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ({"torso_min": 0.5}, "torso size"),
        ({"torso_max": 0.02}, "torso size"),
        ({"shoulders_max": 0.1}, "shoulder breadth"),
        ({"hips_max": 0.05}, "hip breadth"),
        ({"arm_bone_max": 0.1}, "arm length"),
        ({"leg_bone_max": 0.1}, "leg length"),
        ({"nose_min": 3.0, "nose_max": 4.0}, "head below shoulders"),
        ({"nose_max": 0.01}, "head too far"),
        ({"nose_aside_max": 1e-6}, "head aside"),
        ({"knee_max": -3.0}, "knee above chest"),
    ],
)
def test_a_true_body_passes_and_each_tighter_gate_stops_it(setting: dict[str, float], word: str) -> None:
    body = KEYPOINTS[5]
    assert implausible(body, SURE, 96, 96, GateConfig()) == ""
    assert implausible(body, SURE, 96, 96, GateConfig(**setting)) == word


@pytest.mark.parametrize(
    ("setting", "word"), [({"jump_max": 5.0}, "jump"), ({"size_ratio_max": 9.0}, "size jump")]
)
def test_looser_gates_in_time_let_a_stray_pose_pass(setting: dict[str, float], word: str) -> None:
    places = KEYPOINTS[:5] * 96
    places[2] = places[2] + 60 if word == "jump" else places[2] * 3 - places[2].mean(axis=0) * 2
    confidence = np.ones((5, 25), np.float32)
    assert out_of_line(places, confidence, GateConfig())[2] == word
    assert out_of_line(places, confidence, GateConfig(**setting))[2] != word


@pytest.mark.parametrize(
    "setting",
    [
        {"outlier_sigmas": 30.0},
        {"cutoff_hz": 9.0},
        {"speed_coefficient": 0.0},
        {"pause_sec": 0.1},
        {"gap_sec": 0.05},
        {"filled_confidence": 0.9},
    ],
)
def test_every_constant_of_smoothing_changes_the_tracks(setting: dict[str, float]) -> None:
    draw = np.random.default_rng(0)
    places = KEYPOINTS + draw.normal(0, 0.01, KEYPOINTS.shape)
    places[9, 4] += 0.3
    confidence = np.ones((36, 25), np.float32)
    confidence[16:20, 4] = 0
    origin, time = np.zeros((36, 25), np.uint8), np.arange(36) / 24
    usual = smooth_tracks(places, confidence, origin, time, SmoothConfig())
    other = smooth_tracks(places, confidence, origin, time, SmoothConfig(**setting))
    known = confidence > 0
    changed = np.abs(usual[0] - other[0])[known].max() > 1e-4
    assert changed or np.abs(usual[1] - other[1]).max() > 0.1


def test_fractions_of_splits_are_those_asked_for() -> None:
    sources = [source(Path(f"{number}.mp4")) for number in range(20)]

    def counts(**setting: float) -> list[int]:
        splits = list(assign_splits(sources, [], SplitConfig(**setting)).values())
        return [splits.count(name) for name in ("train", "val", "test")]

    assert counts(val_fraction=0.3, test_fraction=0.1) == [12, 6, 2]
    assert counts(val_fraction=0.1, test_fraction=0.3) == [12, 2, 6]


def test_margin_and_the_joints_that_count_decide_the_square() -> None:
    frames, still = 4, np.arange(4)
    pose = Pose.nothing(frames, "")
    keypoints = np.repeat(0.35 + 0.3 * KEYPOINTS[:1], frames, axis=0).astype(np.float32)
    confidence = np.ones((frames, 25), np.float32)
    keypoints[:, 4], confidence[:, 4] = (0.95, 0.05), 0.4
    pose = replace(pose, keypoints=keypoints, confidence=confidence)
    video = np.random.default_rng(0).integers(0, 256, (frames, 200, 200, 3), dtype=np.uint8)
    clip = Clip("a", source(Path("a.mp4")), 0.0, 1.0, 4.0, video, still, still, pose)

    def side(**setting: float) -> int:
        return plan_cut(clip, None, CropConfig(size=16, **setting)).side

    assert side(least_confidence=0.5) < side() - 20
    assert side(least_confidence=0.5, margin=0.0) < side(least_confidence=0.5) - 4
    assert side(least_confidence=0.5, slack=0.0) < side(least_confidence=0.5) - 4


@pytest.mark.parametrize("setting", [{"min_side": 65}, {"max_pixels": 4095}])
def test_limits_of_a_picture_are_kept_to_the_pixel(setting: dict[str, int]) -> None:
    check_size(Path("a.png"), 64, 64, MediaLimits())
    with pytest.raises(StoreError, match=f"ingest.limits.{next(iter(setting))} is"):
        check_size(Path("a.png"), 64, 64, MediaLimits(**setting))
