"""A motion on another body: limbs take its lengths and keep their directions, feet stay on its ground."""

import numpy as np
import pytest

from temporal_gan.pose_files import PoseSequence
from temporal_gan.puppet import motion_keypoints
from temporal_gan.retargeting import retarget
from temporal_gan.skeletons import CANONICAL25, Skeleton

STICK = Skeleton("stick", ("hip", "knee", "foot"), ((0, 1), (1, 2)), (), (1, 1, 1))


def stick(*poses: list[tuple[float, float]]) -> PoseSequence:
    points = np.array(poses, np.float32)
    return PoseSequence(
        points, np.ones(points.shape[:2], np.float32), np.ones(points.shape[:2], np.int64), 24.0, STICK
    )


def puppet(character: str, motion: str, frames: int = 24) -> PoseSequence:
    return PoseSequence(*motion_keypoints(character, motion, frames, 24.0), 24.0, CANONICAL25)


def lengths(points: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    start, end = np.array(skeleton.edges).T
    return np.asarray(np.linalg.norm(points[:, end] - points[:, start], axis=-1))


def test_limbs_take_the_bodys_lengths_and_keep_their_directions() -> None:
    # Thigh 0.2 and shin 0.1, swinging; the body's are 0.1 and 0.15, it stands at x 0.3 on the ground at 0.9.
    motion = stick([(0.5, 0.4), (0.5, 0.6), (0.5, 0.7)], [(0.5, 0.4), (0.7, 0.4), (0.7, 0.5)])
    body = np.array([[(0.3, 0.65), (0.3, 0.75), (0.3, 0.9)]])
    made = retarget(motion, body, np.ones((1, 3)))
    np.testing.assert_allclose(lengths(made.keypoints, STICK), [[0.1, 0.15]] * 2, atol=1e-6)
    np.testing.assert_allclose(made.keypoints[0], body[0], atol=0.02)
    np.testing.assert_allclose(made.keypoints[1, 1] - made.keypoints[1, 0], [0.1, 0.0], atol=1e-6)
    assert (made.confidence == 1).all()


def test_its_own_body_changes_nothing() -> None:
    motion = puppet("hana", "jump")
    made = retarget(motion, motion.keypoints, motion.confidence)
    there = (made.confidence > 0)[..., None]
    # Left and right are made alike, and foreshortened limbs a little longer: no joint moves by a pixel of 64.
    assert np.abs(made.keypoints - motion.keypoints)[there.repeat(2, -1)].max() < 0.015


@pytest.mark.parametrize(
    ("character", "motion", "most"), [("pipi", "walk", 0.02), ("pipi", "jump", 0.02), ("kon", "jump", 0.02)]
)
def test_a_puppets_motion_on_another_puppet_is_that_ones_own(
    character: str, motion: str, most: float
) -> None:
    """One picture of pipi standing, and hana's motion on her comes to lie where pipi's own would."""
    body, own, others = puppet(character, "idle", 1), puppet(character, motion), puppet("hana", motion)
    made = retarget(others, body.keypoints, body.confidence)
    before, after = (np.linalg.norm(p.keypoints - own.keypoints, axis=-1).mean() for p in (others, made))
    assert after < most
    assert after < before


def test_ears_that_stand_up_stand_up() -> None:
    body, others = puppet("kon", "idle", 1), puppet("hana", "jump")
    made = retarget(others, body.keypoints, body.confidence)
    for side in ("left", "right"):
        eye, ear = (CANONICAL25.joints.index(f"{side}_{name}") for name in ("eye", "ear"))
        rise = [
            (p[:, eye] - p[:, ear])[:, 1].mean() for p in (others.keypoints, body.keypoints, made.keypoints)
        ]
        assert abs(rise[0]) < 0.03
        assert rise[1] > 0.08
        assert rise[2] > 0.5 * rise[1]


def test_feet_stay_on_the_ground_and_a_jump_leaves_it() -> None:
    body = puppet("pipi", "idle", 1)
    ground = body.keypoints[..., 1].max()
    for motion, lowest in (("sit-down", 0.02), ("jump", 0.2)):
        made = retarget(puppet("hana", motion, 48), body.keypoints, body.confidence)
        feet = made.keypoints[..., 1].max(axis=1)
        assert abs(np.quantile(feet, 0.9) - ground) < 0.01
        assert ground - feet.min() < lowest
    assert ground - feet.min() > 0.04


def test_joints_that_no_picture_shows_are_not_commanded() -> None:
    motion, body = puppet("hana", "walk", 4), puppet("pipi", "idle", 1)
    hidden = [CANONICAL25.joints.index(name) for name in ("left_big_toe", "right_ear")]
    confidence = body.confidence.copy()
    confidence[:, hidden] = 0
    keypoints = np.where(confidence[..., None] > 0, body.keypoints, np.nan)
    made = retarget(motion, np.nan_to_num(keypoints, nan=-9.0), confidence)
    assert (made.confidence[:, hidden] == 0).all()
    assert (np.delete(made.confidence, hidden, axis=1) > 0).all()
    assert np.isfinite(made.keypoints).all()


def test_a_limb_that_points_at_the_viewer_is_no_stump() -> None:
    motion, body = puppet("hana", "walk", 12), puppet("hana", "idle", 1)
    wrist, elbow = (CANONICAL25.joints.index(f"left_{name}") for name in ("wrist", "elbow"))
    right = [CANONICAL25.joints.index(f"right_{name}") for name in ("wrist", "elbow")]
    keypoints, confidence = body.keypoints.copy(), body.confidence.copy()
    keypoints[:, wrist] = keypoints[:, elbow]
    confidence[:, right] = 0
    made = retarget(motion, keypoints, confidence)
    forearm = [
        np.linalg.norm(p[:, wrist] - p[:, elbow], axis=-1).max() for p in (motion.keypoints, made.keypoints)
    ]
    assert forearm[1] > 0.4 * forearm[0]


def test_half_a_body_keeps_its_place() -> None:
    """A bust: no joint below the hips; what is beyond the frame's edge is not commanded."""
    body = puppet("hana", "idle", 1)
    legs = [
        j
        for j, name in enumerate(CANONICAL25.joints)
        if name.split("_")[-1] in ("knee", "ankle", "toe", "heel")
    ]
    keypoints = 2.0 * (body.keypoints - body.keypoints[:, 1:2]) + np.array([0.5, 0.5])
    confidence = body.confidence.copy()
    confidence[:, legs] = 0
    made = retarget(puppet("pipi", "idle"), keypoints, confidence)
    neck = made.keypoints[:, 1].mean(0)
    assert np.abs(neck - [0.5, 0.5]).max() < 0.15
    assert (made.confidence[:, legs] == 0).all()


# In closed form


def sure(keypoints: np.ndarray) -> np.ndarray:
    """Confidence of joints that are all seen but those at places below 0."""
    return (keypoints[..., 0] >= 0).astype(np.float32)


def test_a_body_half_as_large_jumps_half_as_high() -> None:
    motion = stick(*([(0.5, y - 0.4), (0.5, y - 0.2), (0.5, y)] for y in (0.9, 0.9, 0.7, 0.9)))
    body = np.array([[(0.3, 0.7), (0.3, 0.8), (0.3, 0.9)]])
    made = retarget(motion, body, sure(body)).keypoints
    np.testing.assert_allclose(made[:, 2, 1], [0.9, 0.9, 0.8, 0.9], atol=1e-6)
    np.testing.assert_allclose(made[:, 0, 1], [0.7, 0.7, 0.6, 0.7], atol=1e-6)


def test_one_strange_frame_or_picture_makes_no_limb_longer() -> None:
    """The tenth longest of eleven counts, of those that are seen."""
    poses = [[(0.5, 0.5), (0.5, 0.7), (0.5, 0.8)]] * 10 + [[(0.5, 0.3), (0.5, 0.7), (0.5, 0.8)]]
    body = np.array([[(0.5, 0.5), (0.5, 0.7), (0.5, 0.8)]] * 10 + [[(0.5, 0.3), (0.5, 0.7), (0.5, 0.8)]])
    made = retarget(stick(*poses), body, sure(body)).keypoints
    np.testing.assert_allclose(lengths(made, STICK)[:10], [[0.2, 0.1]] * 10, atol=1e-6)
    # Of twelve pictures four show the thigh; where the others have it says nothing.
    unseen = np.concatenate([body[:4], np.full((8, 3, 2), -9.0)])
    made = retarget(stick(*poses), unseen, sure(unseen)).keypoints
    np.testing.assert_allclose(lengths(made, STICK)[:10], [[0.2, 0.1]] * 10, atol=1e-6)


def test_no_limb_is_scaled_by_more_than_twice_or_less_than_half_of_the_body() -> None:
    leg = Skeleton("leg", ("hip", "knee", "foot", "toe"), ((0, 1), (1, 2), (2, 3)), (), (1,) * 4)
    points = np.array([[(0.5, 0.3), (0.5, 0.5), (0.5, 0.7), (0.7, 0.7)]], np.float32)
    motion = PoseSequence(points, np.ones((1, 4), np.float32), np.ones((1, 4), np.int64), 24.0, leg)
    body = np.array([[(0.1, 0.66), (0.1, 0.68), (0.1, 0.7), (0.5, 0.7)]])
    scale = (0.02 + 0.02 + 0.4) / 0.6
    made = retarget(motion, body, sure(body)).keypoints
    np.testing.assert_allclose(lengths(made, leg)[0], [0.1 * scale, 0.1 * scale, 0.4 * scale], atol=1e-6)


def test_a_limb_that_no_picture_shows_follows_the_body() -> None:
    motion = stick([(0.5, 0.4), (0.5, 0.6), (0.5, 0.7)])
    body = np.array([[(0.3, 0.6), (0.3, 0.7), (-9.0, -9.0)]])
    made = retarget(motion, body, sure(body))
    np.testing.assert_allclose(lengths(made.keypoints, STICK), [[0.1, 0.05]], atol=1e-6)
    assert made.confidence.tolist() == [[1, 1, 0]]
    # The ground is where the lowest joint is of those that the picture shows.
    assert made.keypoints[0, 1, 1] == pytest.approx(0.7, abs=1e-6)


def test_a_body_of_which_no_limb_is_seen_keeps_the_motions_size() -> None:
    motion = stick([(0.5, 0.4), (0.5, 0.6), (0.5, 0.7)])
    body = np.array([[(0.3, 0.5), (-9.0, -9.0), (-9.0, -9.0)]])
    made = retarget(motion, body, sure(body)).keypoints
    np.testing.assert_allclose(made, [[(0.3, 0.5), (0.3, 0.7), (0.3, 0.8)]], atol=1e-6)


def test_it_stands_where_the_pictures_have_its_first_joint() -> None:
    """In the middle of a walk to the right; where the hip is not seen, by the knee."""
    walk = [[(x, 0.4), (x + 0.1, 0.6), (x, 0.8)] for x in (0.1, 0.2, 0.3, 0.5, 0.5)]
    body = np.array([[(0.5, 0.5), (0.6, 0.7), (0.5, 0.9)], [(-9.0, -9.0), (0.8, 0.7), (0.7, 0.9)]])
    made = retarget(stick(*walk), body, sure(body)).keypoints
    np.testing.assert_allclose(made[:, 0, 0], [0.3, 0.4, 0.5, 0.7, 0.7], atol=1e-6)
    headless = body.copy()
    headless[:, 0] = -9.0
    made = retarget(stick(*walk), headless, sure(headless)).keypoints
    np.testing.assert_allclose(made[2, 1, 0], 0.7, atol=1e-6)


def test_what_leaves_the_frame_is_not_commanded_and_lies_at_its_edge() -> None:
    walk = [[(x, 0.4), (x, 0.6), (x + 0.2, 0.8)] for x in (0.1, 0.3, 0.5)]
    body = np.array([[(0.7, 0.4), (0.7, 0.6), (0.9, 0.8)]])
    made = retarget(stick(*walk), body, sure(body))
    assert made.confidence.tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 0]]
    np.testing.assert_allclose(made.keypoints[2, :, 0], [0.9, 0.9, 1.0], atol=1e-6)


ARMS = Skeleton(
    "arms", ("neck", "left_hand", "right_hand"), ((0, 1), (0, 2)), ((1, 2),), (1, 0, 2)
)  # fmt: skip


@pytest.mark.parametrize(
    ("left", "right", "wanted"), [(0.1, 0.3, 0.2), (0.3, None, 0.3), (None, 0.1, 0.1), (0.2, 0.2, 0.2)]
)
def test_left_and_right_are_as_long_as_both_are_on_average(
    left: float | None, right: float | None, wanted: float
) -> None:
    points = np.array([[(0.5, 0.4), (0.5, 0.6), (0.3, 0.4)]], np.float32)
    motion = PoseSequence(points, np.ones((1, 3), np.float32), np.ones((1, 3), np.int64), 24.0, ARMS)
    body = np.array([[(0.5, 0.5), (0.5 + (left or 0), 0.5), (0.5 - (right or 0), 0.5)]])
    seen = np.array([[1.0, left is not None, right is not None]])
    made = retarget(motion, body, seen).keypoints
    np.testing.assert_allclose(lengths(made, ARMS), [[wanted, wanted]], atol=1e-6)


HEAD = Skeleton(
    "head", ("nose", "left_ear", "right_ear", "hat"), ((0, 1), (0, 2), (0, 3)), ((1, 2),), (1,) * 4
)  # fmt: skip


def ears(left: float, right: float, hat: float = 90.0) -> np.ndarray:
    """Ears and hat 0.1 from the nose, at degrees above the level line, each on its own side: [1, 4, 2]."""
    up, at = np.radians([left, right, hat]), np.array([0.5, 0.5])
    ways = [
        (np.cos(up[0]), -np.sin(up[0])),
        (-np.cos(up[1]), -np.sin(up[1])),
        (np.cos(up[2]), -np.sin(up[2])),
    ]
    return np.array([[at, *(at + 0.1 * np.array(way) for way in ways)]])


@pytest.mark.parametrize(
    ("pictured", "wanted"),
    [
        # Both up, or hanging, as far as they may.
        (ears(60, 60), (60, 60)),
        (ears(-30, -30), (-30, -30)),
        (ears(100, 100), (100, 100)),
        (ears(170, 170), (170, 170)),
        (ears(-120, -120), (-120, -120)),
        # One a little further than the other: the middle of both.
        (ears(70, 50), (60, 60)),
        # A tilt of the head is none of the ears.
        (ears(20, -20), (0, 0)),
        # Too uneven: it looks elsewhere.
        (ears(60, 0), (0, 0)),
        (ears(0, 60), (0, 0)),
        # A hat is on neither side, and stays where the motion has it.
        (ears(0, 0, hat=30), (0, 0)),
    ],
)
def test_a_head_is_stiff_and_its_sides_are_alike(pictured: np.ndarray, wanted: tuple[float, float]) -> None:
    points = ears(0, 0).astype(np.float32)
    motion = PoseSequence(points, np.ones((1, 4), np.float32), np.ones((1, 4), np.int64), 24.0, HEAD)
    # Another picture does not show the ears, wherever it has them.
    body = np.concatenate([pictured, ears(-80, -80)])
    made = retarget(motion, body, np.array([[1.0, 1, 1, 1], [1, 0, 0, 0]])).keypoints
    np.testing.assert_allclose(made - made[:, :1], ears(*wanted) - 0.5, atol=1e-5)


def test_only_the_head_is_stiff() -> None:
    """The same joints under other names are arms, which go where the motion has them."""
    names = ("chest", "left_ear", "right_ear", "hat")
    body = Skeleton("body", names, HEAD.edges, HEAD.flip_pairs, HEAD.layers)
    points = ears(0, 0).astype(np.float32)
    motion = PoseSequence(points, np.ones((1, 4), np.float32), np.ones((1, 4), np.int64), 24.0, body)
    made = retarget(motion, ears(60, 60), np.ones((1, 4))).keypoints
    np.testing.assert_allclose(made - made[:, :1], ears(0, 0) - 0.5, atol=1e-5)
