"""Smoothing: nearer to the truth, one place per drawing, gaps filled only so far, people's labels untouched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from preprocessing.clip import Clip, Pose, Source
from preprocessing.label_track import LabelTrack
from preprocessing.labels import apply_labels
from preprocessing.smooth import SmoothConfig, smooth_pose
from temporal_gan.data.manifest import ORIGINS
from temporal_gan.puppet import motion_keypoints
from temporal_gan.skeletons import CANONICAL25

FPS, SIDE = 24.0, 64
MANUAL, INTERPOLATED = ORIGINS.index("manual"), ORIGINS.index("interpolated")


def clip_of(points: np.ndarray, hold: np.ndarray, confidence: np.ndarray | None = None) -> Clip:
    """``points``: [D, 25, 2] of drawings, shown as ``hold`` says."""
    sure = np.ones(points.shape[:2], np.float32) if confidence is None else confidence
    pose = Pose.nothing(len(hold), "")
    pose = replace(pose, keypoints=points[hold].astype(np.float32), confidence=sure[hold])
    frames = np.zeros((len(hold), SIDE, SIDE, 3), np.uint8)
    source = Source(Path("x"), "x", "0", "x")
    return Clip("x", source, 0, len(hold) / FPS, FPS, frames, np.arange(len(hold)), hold, pose)


def smoothed(clip: Clip, config: SmoothConfig | None = None) -> Pose:
    pose = smooth_pose(clip, config or SmoothConfig()).pose
    assert pose is not None
    return pose


def rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(((one - other) ** 2).sum(axis=-1).mean()))


def noisy(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """1 % of the body in every joint, 10 % in three of a hundred."""
    random = np.random.default_rng(seed)
    body = np.ptp(points, axis=1).max()
    far = random.random(points.shape[:2]) < 0.03
    noise = random.normal(0, 0.01 * body, points.shape)
    return points + noise + far[..., None] * random.normal(0, 0.1 * body, points.shape)


@pytest.mark.parametrize(("every", "at_most"), [(1, 0.6), (2, 0.75), (3, 0.95)])
@pytest.mark.parametrize("motion", ["walk", "wave"])
def test_error_against_the_truth_falls(motion: str, every: int, at_most: float) -> None:
    exact = motion_keypoints("kaito", motion, 72, FPS, 2)[0][::every].astype(float)
    hold = np.arange(72) // every
    raw = noisy(exact)
    clean = smoothed(clip_of(raw, hold)).keypoints
    assert rmse(clean, exact[hold]) < at_most * rmse(raw, exact)


def test_held_frames_stay_one_drawing() -> None:
    hold = np.repeat(np.arange(20), [1, 2, 3, 2] * 5)
    exact = motion_keypoints("kaito", "walk", 20, 10, 2)[0].astype(float)
    clean = smoothed(clip_of(noisy(exact), hold)).keypoints
    for drawing in range(20):
        np.testing.assert_array_equal(
            clean[hold == drawing], clean[hold == drawing][:1].repeat((hold == drawing).sum(), 0)
        )


def test_smoothing_frames_instead_of_drawings_is_worse() -> None:
    exact = motion_keypoints("kaito", "run", 72, FPS, 2)[0][::3].astype(float)
    hold, raw = np.arange(72) // 3, noisy(exact)
    by_drawing = smoothed(clip_of(raw, hold)).keypoints
    by_frame = smoothed(clip_of(raw[hold], np.arange(72))).keypoints
    assert rmse(by_frame, exact[hold]) > 1.05 * rmse(by_drawing, exact[hold])
    assert np.abs(np.diff(by_frame, axis=0))[hold[1:] == hold[:-1]].max() > 0.002, "a held drawing moves"


def test_a_still_track_stays_to_the_bit_but_for_float32() -> None:
    points = np.tile(np.random.default_rng(1).random((1, 25, 2)), (12, 1, 1))
    np.testing.assert_allclose(smoothed(clip_of(points, np.arange(12))).keypoints, points, atol=1e-6)


def test_a_single_outlier_is_put_back() -> None:
    points = np.tile(np.random.default_rng(1).random((1, 25, 2)), (12, 1, 1))
    wrong = points.copy()
    wrong[6, 4] += 0.3
    np.testing.assert_allclose(smoothed(clip_of(wrong, np.arange(12))).keypoints, points, atol=2e-3)


def test_steady_motion_is_not_slowed_or_delayed() -> None:
    still = np.random.default_rng(1).random((1, 25, 2)) * 0.3
    points = still + np.arange(24)[:, None, None] / 24 * (0.5, 0.2)
    clean = smoothed(clip_of(points, np.arange(24))).keypoints
    np.testing.assert_allclose(clean[6:-6], points[6:-6], atol=0.002)


@pytest.mark.parametrize(("missing", "filled"), [(5, 5), (6, 0)])
def test_gaps_up_to_a_quarter_second_are_filled(missing: int, filled: int) -> None:
    still = np.random.default_rng(1).random((1, 25, 2)) * 0.3
    points = still + np.arange(24)[:, None, None] / 24 * (0.5, 0.2)
    confidence = np.full((24, 25), 0.8, np.float32)
    confidence[9 : 9 + missing, 7] = 0
    hidden = points.copy()
    hidden[confidence == 0] = 0.9
    pose = smoothed(clip_of(hidden, np.arange(24), confidence))
    gap = slice(9, 9 + missing)
    assert (pose.confidence[gap, 7] > 0).sum() == filled
    if filled:
        np.testing.assert_allclose(pose.keypoints[gap, 7], points[gap, 7], atol=0.003)
        np.testing.assert_allclose(pose.confidence[gap, 7], 0.4, atol=1e-6)
        assert (pose.origin[gap, 7] == INTERPOLATED).all()
    assert (pose.origin == INTERPOLATED).sum() == filled


def test_no_gap_is_filled_in_which_a_person_saw_nothing() -> None:
    still = np.random.default_rng(1).random((1, 25, 2)) * 0.3
    confidence = np.full((24, 25), 0.8, np.float32)
    confidence[9:12, 7] = confidence[15:18, 7] = 0
    clip = clip_of(np.tile(still, (24, 1, 1)), np.arange(24), confidence)
    assert clip.pose is not None
    origin = clip.pose.origin.copy()
    origin[10, 7] = MANUAL
    pose = smoothed(replace(clip, pose=replace(clip.pose, origin=origin)))
    assert not pose.confidence[9:12, 7].any()
    assert (pose.confidence[15:18, 7] > 0).all()


def test_nothing_is_filled_before_the_first_or_after_the_last() -> None:
    confidence = np.ones((12, 25), np.float32)
    confidence[:2], confidence[-2:] = 0, 0
    pose = smoothed(clip_of(np.random.default_rng(1).random((12, 25, 2)), np.arange(12), confidence))
    assert not pose.confidence[[0, 1, -2, -1]].any()


def test_labels_of_people_never_move_and_gaps_end_at_them() -> None:
    points = noisy(motion_keypoints("kaito", "walk", 24, 12, 2)[0].astype(float))
    clip = clip_of(points, np.arange(24))
    assert clip.pose is not None
    origin = clip.pose.origin.copy()
    origin[::3] = MANUAL
    pose = smoothed(replace(clip, pose=replace(clip.pose, origin=origin)))
    np.testing.assert_allclose(pose.keypoints[::3], points[::3], atol=1e-6)
    assert np.abs(pose.keypoints[1::3] - points[1::3]).max() > 0.001
    np.testing.assert_array_equal(pose.origin, origin)


def test_a_label_in_any_frame_of_a_held_drawing_wins_and_each_frame_keeps_its_own() -> None:
    hold = np.arange(24) // 3
    points = np.tile(np.random.default_rng(1).random((1, 25, 2)), (24, 1, 1))
    clip = clip_of(points, hold)
    # Drawing 2 in its second frame alone; drawing 5 in its second and third, a little apart.
    where = np.array([7, 16, 17])
    keypoints, confidence = np.zeros((3, 25, 2), np.float32), np.zeros((3, 25), np.float32)
    keypoints[:, 4], confidence[:, 4] = np.array([[0.9], [0.2], [0.21]]), (1, 0.75, 0.5)
    track = LabelTrack(where, keypoints, confidence, CANONICAL25, origin="manual")
    made = smoothed(apply_labels(clip, track))
    np.testing.assert_allclose(made.keypoints[6:9, 4], 0.9, atol=1e-6)
    np.testing.assert_allclose(made.keypoints[15:18, 4, 0], [0.2, 0.2, 0.21], atol=1e-6)
    assert made.confidence[15:18, 4].tolist() == [0.75, 0.75, 0.5]
    manual = made.origin[:, 4] == MANUAL
    assert np.flatnonzero(manual).tolist() == [6, 7, 8, 15, 16, 17]
    others = np.delete(np.arange(25), 4)
    np.testing.assert_allclose(made.keypoints[:, others], points[:, others], atol=1e-6)


def test_labelled_hands_are_smoothed_no_more_than_labelled_joints() -> None:
    clip = clip_of(motion_keypoints("kaito", "walk", 12, 12, 2)[0], np.arange(24) // 2)
    assert clip.pose is not None
    found = np.full((24, 2, 21, 3), 0.5, np.float32)
    clip = replace(clip, pose=replace(clip.pose, hands=found))
    # The left hand on every odd frame, and drawing 4 on both of its frames, 0.02 apart; the last drawing not at all.
    where = np.array([1, 3, 5, 7, 8, 9, 11, 13, 15, 17, 19, 21])
    hands = np.zeros((len(where), 2, 21, 3), np.float32)
    hands[:, 0] = np.random.default_rng(0).uniform(0.2, 0.8, (len(where), 1, 3))
    hands[:, 0, :, 2] = 0.9
    hands[4:6, 0, :, 0] = np.array([[0.75], [0.77]])
    blank = np.zeros((len(where), 25, 2), np.float32), np.zeros((len(where), 25), np.float32)
    # What another program detected and somebody brings along is a label too.
    track = LabelTrack(where, *blank, CANONICAL25, hands=hands, origin="detected")
    made = smoothed(apply_labels(clip, track))
    assert made.hands is not None
    expected = np.repeat(hands[[0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]], 2, axis=0)
    expected[8] = hands[4]
    np.testing.assert_array_equal(made.hands[:22, 0], expected[:, 0])
    np.testing.assert_allclose(made.hands[:, 1], 0.5, atol=1e-6)
    assert made.hands_origin is not None
    imported = made.hands_origin == ORIGINS.index("imported")
    assert imported[:22, 0].all()
    assert not imported[22:].any()
    assert not imported[:, 1].any()


def test_hands_are_smoothed_too() -> None:
    clip = clip_of(motion_keypoints("kaito", "walk", 24, 12, 2)[0], np.arange(24))
    assert clip.pose is not None
    exact = np.full((24, 2, 21, 3), 0.5, np.float32)
    exact[:, 1, :, 2] = 0
    raw = exact.copy()
    raw[..., :2] += np.random.default_rng(0).normal(0, 0.01, raw[..., :2].shape)
    pose = smoothed(replace(clip, pose=replace(clip.pose, hands=raw)))
    assert pose.hands is not None
    assert rmse(pose.hands[:, 0, :, :2], exact[:, 0, :, :2]) < 0.8 * rmse(
        raw[:, 0, :, :2], exact[:, 0, :, :2]
    )
    np.testing.assert_allclose(pose.hands[:, 1], raw[:, 1], atol=1e-6)


def test_the_same_clip_gives_the_same_bytes() -> None:
    clip = clip_of(noisy(motion_keypoints("kaito", "run", 24, 12, 2)[0].astype(float)), np.arange(24))
    assert smoothed(clip).keypoints.tobytes() == smoothed(clip).keypoints.tobytes()
