"""Skeletons: consistent by construction, mirrored by permutation, and reached from every convention."""

import json
from typing import Any

import numpy as np
import pytest

from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25, CONVENTIONS, Skeleton, from_canonical25, limbs, to_canonical25

JOINTS = {
    "openpose18": 18,
    "body25": 25,
    "coco17": 17,
    "mediapipe33": 33,
    "dwpose133": 133,
    "canonical25": 25,
}


def joint(name: str) -> int:
    return CANONICAL25.joints.index(name)


def test_canonical25_is_one_tree_over_all_its_joints() -> None:
    assert len(CANONICAL25.joints) == 25
    assert len(CANONICAL25.edges) == 24
    reached = {joint("neck")}
    for _ in range(25):
        reached |= {b for a, b in CANONICAL25.edges if a in reached}
    assert reached == set(range(25))
    assert len({b for _, b in CANONICAL25.edges}) == 24  # one parent each


def test_canonical25_starts_as_openpose18_does() -> None:
    expected = "nose neck right_shoulder right_elbow right_wrist left_shoulder".split()
    assert list(CANONICAL25.joints[:6]) == expected
    assert CANONICAL25.joints[18] == "mid_hip"


def test_flip_pairs_cover_every_left_and_right() -> None:
    sided = {j for j, name in enumerate(CANONICAL25.joints) if name.startswith(("left_", "right_"))}
    assert {j for pair in CANONICAL25.flip_pairs for j in pair} == sided
    order = CANONICAL25.flip_permutation()
    assert CANONICAL25.joints[order[joint("left_heel")]] == "right_heel"
    np.testing.assert_array_equal(order[order], np.arange(25))
    # The mirrored skeleton is the same one.
    mirrored = {(order[a], order[b]) for a, b in CANONICAL25.edges}
    assert mirrored == set(CANONICAL25.edges)


def test_a_skeleton_survives_json() -> None:
    assert Skeleton.from_dict(json.loads(json.dumps(CANONICAL25.to_dict()))) == CANONICAL25


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"joints": ["a"] * 25}, "joint names repeat"),
        ({"layers": [1]}, "1 layers for 25 joints"),
        ({"edges": [[0, 25]]}, r"\(0, 25\) is outside 0..24"),
        ({"flip_pairs": [[-1, 0]]}, r"\(-1, 0\) is outside"),
        ({"edges": None}, "incomplete"),
        ({"edges": [[0, 1, 2]]}, "incomplete"),
        ({"edges": [["a", "b"]]}, "incomplete"),
        ({"layers": ["near"] * 25}, "incomplete"),
    ],
)
def test_an_inconsistent_description_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Skeleton.from_dict({**CANONICAL25.to_dict(), **change})


@pytest.mark.parametrize("field", ["name", "joints", "edges", "flip_pairs", "layers"])
def test_a_missing_field_is_named(field: str) -> None:
    data = CANONICAL25.to_dict()
    del data[field]
    with pytest.raises(UserError, match=f"incomplete: '{field}'"):
        Skeleton.from_dict(data)


def test_every_convention_is_known_here() -> None:
    assert set(JOINTS) == set(CONVENTIONS)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_conventions_map_joint_by_joint(convention: str) -> None:
    count = JOINTS[convention]
    points = np.random.default_rng(0).random((2, 3, count, 2)).astype(np.float32)
    confidence = np.random.default_rng(1).uniform(0.1, 1, (2, 3, count)).astype(np.float32)
    mapped, sure = to_canonical25(points, confidence, convention)
    assert mapped.shape == (2, 3, 25, 2)
    assert sure.shape == (2, 3, 25)
    np.testing.assert_array_equal(mapped[..., joint("nose"), :], points[..., 0, :])
    # Sources in each convention's own documentation.
    wrists = {"openpose18": (7, 4), "body25": (7, 4), "coco17": (9, 10), "mediapipe33": (15, 16)}
    left, right = {**wrists, "dwpose133": (9, 10), "canonical25": (7, 4)}[convention]
    np.testing.assert_array_equal(mapped[..., joint("left_wrist"), :], points[..., left, :])
    np.testing.assert_array_equal(mapped[..., joint("right_wrist"), :], points[..., right, :])
    np.testing.assert_array_equal(sure[..., joint("left_wrist")], confidence[..., left])
    feet = sure[..., joint("left_big_toe")] > 0
    assert bool(feet.all()) == (convention not in ("openpose18", "coco17"))


def test_a_middle_point_is_as_sure_as_its_less_sure_end() -> None:
    points, confidence = np.zeros((17, 2), np.float32), np.ones(17, np.float32)
    points[5], points[6], confidence[6] = (0.2, 0.4), (0.6, 0.8), 0.3
    mapped, sure = to_canonical25(points, confidence, "coco17")
    np.testing.assert_allclose(mapped[joint("neck")], (0.4, 0.6), atol=1e-7)
    assert sure[joint("neck")] == np.float32(0.3)
    confidence[6] = 0
    assert to_canonical25(points, confidence, "coco17")[1][joint("neck")] == 0


def test_body25_and_canonical25_are_the_same_joints_in_another_order() -> None:
    points = np.arange(50, dtype=np.float32).reshape(25, 2)
    mapped, _ = to_canonical25(points, np.ones(25, np.float32), "body25")
    assert sorted(map(tuple, mapped)) == sorted(map(tuple, points))


def test_unknown_conventions_and_too_few_joints_are_refused() -> None:
    with pytest.raises(UserError, match="'openpose' is not one of: openpose18"):
        to_canonical25(np.zeros((18, 2)), np.zeros(18), "openpose")
    with pytest.raises(UserError, match="mediapipe33 needs joint"):
        to_canonical25(np.zeros((17, 2)), np.zeros(17), "mediapipe33")


def test_limbs_are_an_edges_far_end_and_all_beyond_it() -> None:
    names = {frozenset(CANONICAL25.joints[j] for j in limb) for limb in limbs(CANONICAL25)}
    leg = {"right_knee", "right_ankle", "right_heel", "right_big_toe", "right_small_toe"}
    for limb in (
        {"left_wrist"}, {"left_elbow", "left_wrist"}, {"left_shoulder", "left_elbow", "left_wrist"}, leg,
        {"right_hip", *leg}, {"nose", "right_eye", "right_ear", "left_eye", "left_ear"},
    ):  # fmt: skip
        assert frozenset(limb) in names
    # Both legs at once would leave no command for where the body is.
    assert max(map(len, names)) <= 6
    assert len(names) == len(CANONICAL25.edges) - 1


def test_a_ring_of_joints_has_no_limbs_and_a_bare_skeleton_none() -> None:
    ring = Skeleton("ring", ("a", "b", "c", "d"), ((0, 1), (1, 2), (2, 3), (3, 0)), (), (0,) * 4)
    assert all(2 * len(limb) < 4 for limb in limbs(ring))
    assert limbs(Skeleton("plain", ("a", "b"), (), (), (0, 0))) == ()


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_from_canonical25_is_the_way_back(convention: str) -> None:
    """Every joint that has a place of its own comes back; a middle of two does not."""
    rng = np.random.default_rng(0)
    points, confidence = rng.random((2, 25, 2)), rng.random((2, 25)) / 2 + 0.5
    there = from_canonical25(points, confidence, convention, JOINTS[convention])
    assert there[0].shape == (2, JOINTS[convention], 2)
    assert there[0].dtype == points.dtype
    back_points, back_confidence = to_canonical25(*there, convention)
    # As many joints are known as the convention has of canonical25's, each where it was.
    known = there[1] > 0
    assert known[0].sum() == {"openpose18": 18, "coco17": 17, "mediapipe33": 21, "dwpose133": 23}.get(
        convention, 25
    )
    own = [j for j in range(25) if (back_confidence[:, j] > 0).all() and joint_is_own(j, convention)]
    assert len(own) == known[0].sum()
    np.testing.assert_allclose(back_points[:, own], points[:, own], atol=1e-6)
    np.testing.assert_allclose(back_confidence[:, own], confidence[:, own], atol=1e-6)
    with pytest.raises(UserError, match="is not one of"):
        from_canonical25(points, confidence, "smpl", 24)


def joint_is_own(index: int, convention: str) -> bool:
    """Not the middle of two others."""
    middles = {"neck", "mid_hip"} if convention in ("coco17", "mediapipe33", "dwpose133") else set()
    middles |= {"mid_hip"} if convention == "openpose18" else set()
    return CANONICAL25.joints[index] not in middles
