"""Cutting: labels stay on their pixels, holds stay holds, the camera keeps calm, and what is unknown stays whole."""

from dataclasses import replace

import numpy as np
import pytest
from face_clips import plain_clip, points_face, puppet, puppet_pose

from preprocessing.clip import Clip, Face, Pose
from preprocessing.crop import CropConfig, Cut, crop_clip, cut_frames, plan_cut
from preprocessing.flow import FlowConfig, measure_flow
from preprocessing.subject import clip_page, subject_boxes
from temporal_gan.alpha import over_white
from temporal_gan.data.manifest import ClipLabels
from temporal_gan.expressions import EXPRESSIONS

OPAQUE = CropConfig(alpha="opaque")
NOISE = np.random.default_rng(0).integers(0, 256, (90, 160, 3), dtype=np.uint8)


def dots(width: int, height: int, places: np.ndarray) -> np.ndarray:
    """A bright soft dot at each place [T, 2] in pixels, uint8 [T, H, W, 3], on a page that is not plain."""
    y, x = np.mgrid[:height, :width] + 0.5
    page = 40 + 40 * ((x // 8 + y // 8) % 2)
    frames = []
    for px, py in places:
        spot = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 4.0**2))
        frames.append(np.stack([page + 170 * spot, page, page], -1))
    return np.rint(frames).astype(np.uint8)


def dot_place(frame: np.ndarray) -> np.ndarray:
    """Centre of what is red, in fractions of the picture."""
    red = np.maximum(frame[..., 0].astype(float) - frame[..., 1], 0)
    y, x = (np.mgrid[: red.shape[0], : red.shape[1]] + 0.5) / red.shape[0]
    return np.array([(red * x).sum(), (red * y).sum()]) / red.sum()


def body_at(places: np.ndarray, width: int, height: int, reach: float = 30.0) -> Pose:
    """Joint 0 on the dot, the others around it; left and right ankle known, so that legs are."""
    around = np.random.default_rng(1).uniform(-reach, reach, (25, 2))
    around[[0, 1, 14, 15]] = reach * np.array([[0, 0], [0, 0.3], [-0.15, 0], [0.15, 0]])
    points = (places[:, None] + around) / (width, height)
    return replace(
        Pose.nothing(len(places), ""),
        keypoints=points.astype(np.float32),
        confidence=np.ones(points.shape[:2], np.float32),
    )


@pytest.mark.parametrize(("width", "height", "size"), [(333, 271, 96), (200, 310, 128), (120, 100, 200)])
def test_a_keypoint_stays_on_its_dot(width: int, height: int, size: int) -> None:
    places = np.array([[60.3, 50.7], [63.1, 52.2], [75.0, 45.9]])
    clip = replace(plain_clip(dots(width, height, places)), pose=body_at(places, width, height, 20.0))
    made = crop_clip(clip, CropConfig(size=size, alpha="opaque"))
    assert made.frames_u8.shape == (3, size, size, 3)
    assert made.pose is not None
    for frame, joint in zip(made.frames_u8, made.pose.keypoints[:, 0], strict=True):
        assert np.abs(dot_place(frame) - joint).max() * size < 0.1


def test_face_and_hands_take_the_same_way() -> None:
    places = np.array([[60.0, 50], [90, 60]])
    clip = replace(plain_clip(dots(200, 160, places)), pose=body_at(places, 200, 160))
    assert clip.pose is not None
    hands = np.repeat(clip.pose.keypoints[:, None, :21], 2, axis=1)
    hands = np.concatenate([hands, np.ones_like(hands[..., :1])], axis=-1)
    face = points_face(clip.pose.keypoints[:, np.arange(28) % 25], np.ones((2, 28)))
    made = crop_clip(replace(clip, pose=replace(clip.pose, hands=hands), face=face), OPAQUE)
    assert made.pose is not None
    assert made.face is not None
    assert made.pose.hands is not None
    assert made.face.points is not None
    np.testing.assert_allclose(made.pose.hands[:, 1, :, :2], made.pose.keypoints[:, :21], atol=1e-6)
    np.testing.assert_allclose(made.face.points[:, :25, :2], made.pose.keypoints, atol=1e-6)
    corners = np.concatenate([made.pose.keypoints.min(1), made.pose.keypoints.max(1)], axis=1)
    np.testing.assert_allclose(made.face.box, corners, atol=1e-6)
    assert (made.face.confidence == 1).all()


def walk_across(frames: int = 24, hold: int = 2) -> Clip:
    """A figure of 60 px that crosses a frame of 400x120, on twos."""
    at = np.arange(frames) // hold
    places = np.stack([40 + 320 * at / at.max(), np.full(frames, 60.0)], axis=-1)
    clip = plain_clip(dots(400, 120, places), at.tolist())
    return replace(clip, pose=body_at(places, 400, 120, 25.0))


def test_a_held_drawing_is_cut_at_one_place() -> None:
    clip = walk_across()
    cut = plan_cut(clip, None, OPAQUE)
    assert len(np.unique(cut.left)) > 5, "this one has to move"
    for drawing in np.unique(clip.hold):
        assert len(np.unique(cut.left[clip.hold == drawing])) == 1
    made = crop_clip(clip, OPAQUE)
    np.testing.assert_array_equal(made.frames_u8[::2], made.frames_u8[1::2])
    assert dict(made.facts)["crop_moved"] > 0.4


def test_the_subject_stays_in_and_the_camera_moves_evenly() -> None:
    clip = walk_across()
    made = crop_clip(clip, OPAQUE)
    assert made.pose is not None
    assert (made.pose.confidence == 1).all()
    steps = np.diff(plan_cut(clip, None, OPAQUE).left[::2])
    moving = steps[steps != 0][1:-1]
    assert len(moving) > 5
    assert np.ptp(moving) <= 1, "whole pixels of one speed"
    assert dict(made.facts)["crop_beyond"] == 0


def test_one_wild_box_moves_nothing() -> None:
    clip = walk_across(40)
    assert clip.pose is not None
    wild = clip.pose.keypoints.copy()
    wild[20:22, :, 0] = 1 - wild[20:22, :, 0] * 0.1
    spoiled = replace(clip, pose=replace(clip.pose, keypoints=wild))
    calm, same = plan_cut(clip, None, OPAQUE), plan_cut(spoiled, None, OPAQUE)
    assert abs(calm.side - same.side) <= 2
    assert np.abs(calm.left - same.left).max() <= 20


def test_a_small_sway_is_not_followed() -> None:
    places = np.array([[100 + 4 * np.sin(t), 60.0] for t in range(20)])
    clip = replace(plain_clip(dots(300, 120, places)), pose=body_at(places, 300, 120))
    assert dict(crop_clip(clip, OPAQUE).facts)["crop_moved"] == 0


def test_a_larger_square_is_taken_if_then_it_can_rest() -> None:
    places = np.array([[100 + 14 * np.sin(t), 60.0] for t in range(20)])
    clip = replace(plain_clip(dots(300, 120, places)), pose=body_at(places, 300, 120, 20.0))
    still, moving = (
        crop_clip(clip, CropConfig(size=32, slack=0, rest=rest, alpha="opaque")) for rest in (1.5, 1.0)
    )
    assert dict(still.facts)["crop_moved"] == 0
    assert dict(moving.facts)["crop_moved"] > 0.3
    assert dict(still.facts)["crop_scale"] > dict(moving.facts)["crop_scale"]


def test_a_body_without_legs_goes_on_to_the_edge() -> None:
    places = np.array([[100.0, 40]])
    pose = body_at(places, 300, 200, 20.0)
    clip = replace(plain_clip(dots(300, 200, places)), pose=pose)
    assert subject_boxes(clip, None, 0.3)[0, 3] < 120
    legs = pose.confidence.copy()
    legs[:, [9, 10, 12, 13]] = 0
    cut_off = replace(clip, pose=replace(pose, confidence=legs))
    assert subject_boxes(cut_off, None, 0.3)[0, 3] == 200


def test_nothing_found_stays_whole_and_the_bars_are_the_borders_colour() -> None:
    frames = np.full((2, 60, 120, 3), (10, 200, 30), np.uint8)
    frames[:, 20:40, 40:80] = NOISE[:20, :40]
    frames[:, ::7] = 0
    made = crop_clip(plain_clip(frames), CropConfig(size=120, alpha="opaque"))
    assert made.flags == ("full-frame",)
    assert dict(made.facts)["crop_scale"] == 1
    assert dict(made.facts)["crop_beyond"] == pytest.approx(0.5)
    np.testing.assert_array_equal(made.frames_u8[:, 30:90], frames)
    assert (made.frames_u8[:, :30] == (10, 200, 30)).all()


def test_whole_mode_does_not_follow() -> None:
    made = crop_clip(walk_across(), CropConfig(mode="whole", alpha="opaque"))
    assert dict(made.facts)["crop_scale"] == 400 / 256
    assert made.flags == ()


def test_nothing_of_a_frame_stays_beyond_the_next_one() -> None:
    frames = np.random.default_rng(0).integers(1, 256, (3, 12, 20, 3), np.uint8)
    left, top, page = np.array([-6, -6, 4]), np.array([-4, -4, 2]), np.array([0, 0, 0], np.uint8)
    made = cut_frames(frames, Cut(left, top, 20, 20, 12, True), 20, page)
    expected = np.zeros((3, 20, 20, 3), np.uint8)
    expected[:2, 4:16, 6:] = frames[:2, :, :14]
    expected[2, :10, :16] = frames[2, 2:, 4:]
    assert (made == expected).all()


def test_joints_outside_are_given_up_as_a_store_wants_it() -> None:
    places = np.array([[60.0, 50], [62, 50]])
    pose = body_at(places, 300, 200)
    far = pose.keypoints.copy()
    far[:, 5], far[:, 6] = (-2.0, 0.5), (0.9, 0.9)
    confidence = pose.confidence.copy()
    confidence[:, 5:7] = 0.2
    clip = replace(
        plain_clip(dots(300, 200, places)), pose=replace(pose, keypoints=far, confidence=confidence)
    )
    made = crop_clip(clip, CropConfig(size=64, alpha="opaque"))
    assert made.pose is not None
    assert (made.pose.confidence[:, 5:7] == 0).all()
    assert (made.pose.confidence[:, 7:] == 1).all()
    unknown = np.zeros((2, len(EXPRESSIONS)))
    ClipLabels(
        made.pose.keypoints,
        made.pose.confidence,
        np.zeros((2, 25), int),
        unknown,
        unknown,
        made.time,
        made.hold,
    ).validate("c", 25, len(EXPRESSIONS))


def test_a_plain_page_is_cut_away_and_the_figure_is_the_subject() -> None:
    truth = puppet(size=128, frames=4)
    frames = over_white(truth.video)
    wide = np.full((4, 128, 300, 3), 255, np.uint8)
    wide[:, :, 100:228] = frames
    clip = plain_clip(wide)
    page = clip_page(clip)
    np.testing.assert_array_equal(page, (255, 255, 255))
    boxes = subject_boxes(clip, page, 0.3)
    rows, columns = np.nonzero((truth.video[..., 3] > 127).any(axis=0))
    union = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    expected = (columns.min() + 100, rows.min(), columns.max() + 101, rows.max() + 1)
    np.testing.assert_allclose(union, expected, atol=2)
    made = crop_clip(clip, CropConfig(size=96))
    assert made.frames_u8.shape == (4, 96, 96, 4)
    assert dict(made.facts)["keyed"] == 1
    exact = np.pad(truth.video, ((0, 0), (0, 0), (100, 72), (0, 0)))
    exact = cut_frames(exact, plan_cut(clip, page, CropConfig(size=96)), 96, None)
    # 4.5 levels are the paper between the legs, which the figure encloses.
    assert np.abs(made.frames_u8[..., 3].astype(float) - exact[..., 3]).mean() < 6
    assert (made.frames_u8[..., 3] == 0).mean() > 0.3


def test_a_page_that_runs_into_the_figure_is_left() -> None:
    frames = np.full((3, 64, 64, 3), 255, np.uint8)
    frames[:, 10:50, 20:40] = (200, 30, 30)
    frames[1, 20:50, 20:40] = 255
    made = crop_clip(plain_clip(frames), CropConfig(size=64))
    assert made.frames_u8.shape[-1] == 4
    assert (made.frames_u8[..., 3] == 255).all()
    assert dict(made.facts)["keyed"] == 0


def test_a_page_of_two_colours_is_no_page() -> None:
    frames = np.full((2, 40, 40, 3), 255, np.uint8)
    frames[:, 10:30, 10:30] = 0
    assert clip_page(plain_clip(frames)) is not None
    frames[1] = np.where(frames[1] == 255, 200, frames[1])
    assert clip_page(plain_clip(frames)) is None


@pytest.mark.parametrize(("alpha", "channels"), [("key", 4), ("opaque", 3), ("source", 4)])
def test_alpha_of_its_own_is_kept_or_laid_on_white(alpha: str, channels: int) -> None:
    video = puppet(size=64).video
    made = crop_clip(plain_clip(video), CropConfig(size=64, mode="whole", alpha=alpha))
    expected = over_white(video) if channels == 3 else video
    np.testing.assert_array_equal(made.frames_u8, expected)


def test_enlarged_alpha_stays_premultiplied() -> None:
    made = crop_clip(plain_clip(puppet(size=64).video), CropConfig(size=150)).frames_u8
    assert (made[..., :3] <= made[..., 3:]).all()


def test_a_face_alone_brings_its_body() -> None:
    frames = np.stack([NOISE, NOISE[::-1]])
    face = Face(np.tile(np.float32([0.6, 0.1, 0.7, 0.3]), (2, 1)), np.ones(2, np.float32))
    box = subject_boxes(replace(plain_clip(frames), face=face), None, 0.3)[0]
    assert box[3] == 90
    assert box[0] < 96 < 112 < box[2]
    made = crop_clip(replace(plain_clip(frames), face=face), CropConfig(size=64, alpha="opaque"))
    assert made.face is not None
    assert (made.face.confidence == 1).all()
    assert dict(made.facts)["crop_beyond"] == 0


def test_puppet_joints_hold_the_figure() -> None:
    for motion in ("walk", "wave", "jump"):
        truth = puppet(size=128, motion=motion)
        clip = replace(plain_clip(np.zeros((6, 128, 128, 3), np.uint8)), pose=puppet_pose(truth))
        for box, alpha in zip(subject_boxes(clip, None, 0.3), truth.video[..., 3], strict=True):
            x0, y0, x1, y1 = np.rint(box).astype(int)
            assert (alpha[y0:y1, x0:x1] > 127).sum() > 0.98 * (alpha > 127).sum()


def test_a_tiny_subject_is_not_blown_up() -> None:
    places = np.array([[60.0, 50]])
    clip = replace(plain_clip(dots(400, 300, places)), pose=body_at(places, 400, 300, 4.0))
    made = crop_clip(clip, CropConfig(size=256, enlarge=2, alpha="opaque"))
    facts = dict(made.facts)
    assert facts["crop_scale"] == 0.5
    assert facts["crop_enlarged"] == 1


def test_cutting_comes_before_flow() -> None:
    clip = measure_flow(plain_clip(puppet(size=64).video), FlowConfig(), None)
    with pytest.raises(ValueError, match="crop first"):
        crop_clip(clip, OPAQUE)
