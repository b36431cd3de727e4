"""Gates: true poses of the puppet pass, each kind of broken pose is named."""

import numpy as np
import pytest

from preprocessing.detection import BodyDetection
from preprocessing.pose.gates import FLIP, GateConfig, implausible, mirror_disagreement, out_of_line
from temporal_gan.puppet import MOTIONS, motion_keypoints
from temporal_gan.skeletons import CANONICAL25

J = CANONICAL25.joints.index
SURE = np.ones(25, np.float32)


@pytest.fixture(scope="module")
def stance() -> np.ndarray:
    return motion_keypoints("kaito", "idle", 1, 24)[0][0]


@pytest.mark.parametrize("character", ["hana", "momo", "pipi", "sample:3"])
def test_every_motion_passes(character: str) -> None:
    for motion in MOTIONS:
        for pose in motion_keypoints(character, motion, 6, 6, 2)[0]:
            assert implausible(pose, SURE, 320, 320, GateConfig()) == "", motion


def test_lying_and_upside_down_pass(stance: np.ndarray) -> None:
    for turn in (np.pi / 2, np.pi, -np.pi / 2):
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        assert implausible((stance - 0.5) @ rotation.T + 0.5, SURE, 200, 200, GateConfig()) == ""


def test_bounds_are_of_pixels_not_of_fractions(stance: np.ndarray) -> None:
    squeezed = 0.5 + (stance - 0.5) * (0.5, 1.0)
    assert implausible(squeezed, SURE, 400, 200, GateConfig()) == ""
    assert implausible(squeezed * (4, 1) - (1.5, 0), SURE, 400, 200, GateConfig()) != ""


@pytest.mark.parametrize(
    ("joint", "place", "word"),
    [
        ("left_wrist", (0.95, 0.1), "arm length"),
        ("right_knee", (0.0, 0.99), "leg length"),
        ("nose", (0.5, 0.9), "head below shoulders"),
        ("nose", (0.5, 0.0), "head too far"),
        ("nose", (0.75, 0.42), "head aside"),
    ],
)
def test_a_broken_pose_is_named(
    stance: np.ndarray, joint: str, place: tuple[float, float], word: str
) -> None:
    broken = stance.copy()
    broken[J(joint)] = place
    assert implausible(broken, SURE, 200, 200, GateConfig()) == word
    unknown = SURE.copy()
    unknown[J(joint)] = 0
    assert implausible(broken, unknown, 200, 200, GateConfig()) == "", "an unknown joint is not judged"


def test_tiny_and_huge_figures_fail(stance: np.ndarray) -> None:
    assert implausible((stance - 0.5) * 0.2 + 0.5, SURE, 200, 200, GateConfig()) == "torso size"
    assert implausible((stance - 0.5) * 8 + 0.5, SURE, 200, 200, GateConfig()) == "torso size"


def test_mirror_disagreement_is_the_distance_in_torsos_and_forgives_sides(stance: np.ndarray) -> None:
    first = BodyDetection(stance, SURE)
    torso = float(np.linalg.norm((stance[J("neck")] - stance[J("mid_hip")]) * 300))
    moved = BodyDetection(stance + np.float32(30 / 300), SURE)
    assert mirror_disagreement(first, first, 300, 300) == 0
    expected = 30 * np.sqrt(2) / torso
    assert mirror_disagreement(first, moved, 300, 300) == pytest.approx(expected, rel=0.35)
    assert mirror_disagreement(first, moved, 300, 300) > 0.15
    crossed = BodyDetection(stance[FLIP], SURE)
    assert mirror_disagreement(first, crossed, 300, 300) == 0
    outside = BodyDetection(stance + 2, SURE)
    assert mirror_disagreement(outside, outside, 300, 300) == float("inf")


def test_a_jump_there_and_back_is_out_of_line_a_fast_motion_is_not() -> None:
    places = motion_keypoints("kaito", "run", 12, 8, 1)[0] * 256.0
    sure = np.ones(places.shape[:2])
    assert out_of_line(places, sure, GateConfig()) == [""] * 12
    wrong = places.copy()
    wrong[5] += (120, 0)
    assert [n for n, word in enumerate(out_of_line(wrong, sure, GateConfig())) if word] == [5]
    small = places.copy()
    small[7] = (small[7] - small[7].mean(axis=0)) * 0.3 + small[7].mean(axis=0)
    assert out_of_line(small, sure, GateConfig())[7] == "size jump"
