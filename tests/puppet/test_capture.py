"""A user's own motion on the puppet: directions carried over, at any rate, with joints missing."""

import json
from pathlib import Path

import numpy as np
import pytest
from person_bvh import HANGING, walking, write_bvh

from temporal_gan.errors import UserError
from temporal_gan.puppet import CHARACTERS, PuppetSpec, motion_keypoints, render_clip
from temporal_gan.puppet.body import pose_figure
from temporal_gan.puppet.capture import OPENPOSE_FPS, read_capture
from temporal_gan.puppet.channels import CHANNELS, Pose
from temporal_gan.puppet.legs import project
from temporal_gan.puppet.lifting import lift_openpose
from temporal_gan.puppet.motion import motion_pose
from temporal_gan.skeletons import CANONICAL25

HANA = CHARACTERS["hana"]
LIMBS = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("right", "left")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]


def _posed(file: Path, frames: int = 1, fps: float = 30.0) -> tuple[Pose, dict[str, np.ndarray]]:
    pose = motion_pose(f"bvh:{file}", np.arange(frames) / fps)
    return pose, pose_figure(HANA, pose, None).joints


def test_bones_keep_their_directions_and_get_the_characters_lengths(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    count = 12
    rotations: dict[str, np.ndarray] = {"Hips": np.zeros((count, 3))}
    rotations["Hips"][:, 2] = np.linspace(-60, 60, count)
    # Shoulders turned against the hips, on a torso that bows.
    rotations["Spine"] = np.stack(
        [np.zeros(count), np.full(count, 14.0), np.linspace(25, -25, count)], axis=-1
    )
    for joint, spread in (("Arm", 60), ("ForeArm", 50), ("UpLeg", 35), ("Leg", 25)):
        for side, sign in (("Left", -1), ("Right", 1)):
            rotations[f"{side}{joint}"] = random.uniform(-spread, spread, (count, 3))
            if joint == "Arm":
                rotations[f"{side}{joint}"][:, 0] += 50 * sign
    file = write_bvh(tmp_path / "a.bvh", rotations, frames=count)
    pose, joints = _posed(file, count)
    points = read_capture(f"bvh:{file}").points
    for start, end in LIMBS:
        bone = points[end] - points[start]
        wanted = project(bone / np.linalg.norm(bone, axis=-1, keepdims=True))
        made = joints[end] - joints[start]
        length = {"elbow": 8.6, "wrist": 7.6, "knee": 11.5, "ankle": 11.5}[end.partition("_")[2]]
        # Bones seen end on keep some length on the picture; the others are where the file has them.
        clear = np.linalg.norm(wanted, axis=-1) > 0.45
        assert clear.sum() >= 6
        np.testing.assert_allclose(made[clear] / length, wanted[clear], atol=0.02, err_msg=end)
    # The file turns from one side to the other, and so does the figure.
    np.testing.assert_allclose(np.degrees(pose["yaw"]), np.linspace(-60, 60, count), atol=1.5)


def test_head_torso_and_feet_follow(tmp_path: Path) -> None:
    turns = {"Head": (0.0, 20.0, 40.0), "Spine": (0.0, 25.0, 0.0), "LeftFoot": (0.0, -20.0, 0.0), **HANGING}
    pose, joints = _posed(write_bvh(tmp_path / "a.bvh", turns))
    # Turned by 40 degrees, then bent forwards by 20 and, with the spine, by 25 more.
    yaw = np.arctan2(np.sin(np.radians(40)), np.cos(np.radians(45)) * np.cos(np.radians(40)))
    assert pose["head_yaw"][0] == pytest.approx(yaw, abs=0.02)
    assert pose["head_pitch"][0] > 0.4
    # The neck is 35 above a spine that bends 20 above the hips.
    bow = np.arctan2(35 * np.sin(np.radians(25)), 20 + 35 * np.cos(np.radians(25)))
    assert pose["bow"][0] == pytest.approx(bow, abs=0.01)
    assert pose["left_foot_pitch"][0] == pytest.approx(np.radians(20), abs=0.01)
    tilted, joints = _posed(write_bvh(tmp_path / "b.bvh", {"Spine": (-20.0, 0.0, 0.0)}))
    assert tilted["lean"][0] == pytest.approx(
        np.arctan2(35 * np.sin(0.349), 20 + 35 * np.cos(0.349)), abs=0.01
    )
    assert joints["neck"][0, 0] > joints["mid_hip"][0, 0] + 2


@pytest.mark.parametrize("fps", [24.0, 30.0, 120.0])
def test_any_frame_rate_gives_the_same_motion(tmp_path: Path, fps: float) -> None:
    rotations, root = walking(int(2 * fps) + 1, fps)
    file = write_bvh(tmp_path / "a.bvh", rotations, root, int(2 * fps) + 1, fps)
    fine_rotations, fine_root = walking(481, 240.0)
    fine = write_bvh(tmp_path / "fine.bvh", fine_rotations, fine_root, 481, 240.0)
    assert read_capture(f"bvh:{file}").duration_sec == pytest.approx(2.0, rel=1e-4)
    time = np.arange(36) / 18
    made, wanted = (pose_figure(HANA, motion_pose(f"bvh:{f}", time), None).joints for f in (file, fine))
    for start, end in LIMBS:
        np.testing.assert_allclose(made[end] - made[start], wanted[end] - wanted[start], atol=0.35)


def test_a_walk_stays_on_the_spot_and_the_ground_travels(tmp_path: Path) -> None:
    rotations, root = walking()
    pose, joints = _posed(write_bvh(tmp_path / "a.bvh", rotations, root, 60), 60)
    assert np.ptp(joints["mid_hip"][:, 0]) < 1.0
    # 120 cm a second with legs of 90 cm, on legs of 23 picture units.
    np.testing.assert_allclose(np.diff(pose["travel"]), 120 / 30 * 23 / 90, rtol=1e-3)
    lowest = np.max(
        [joints[f"{s}_{j}"][:, 1] for s in ("right", "left") for j in ("big_toe", "heel")], axis=0
    )
    assert np.ptp(lowest) < 4.0, "it stands on the ground"


def test_one_who_walks_away_is_turned_to_the_viewer(tmp_path: Path) -> None:
    rotations, root = walking(heading_deg=180.0)
    pose, _ = _posed(write_bvh(tmp_path / "a.bvh", rotations, root, 60), 60)
    np.testing.assert_allclose(pose["yaw"], 0.6, atol=0.02)


def test_a_jump_leaves_the_ground_and_a_spin_never_shows_a_back(tmp_path: Path) -> None:
    height = np.tile([0.0, 100.0, 0.0], (41, 1))
    height[15:26, 1] += 40 * np.sin(np.pi * np.arange(11) / 10)
    turn = {"Hips": np.stack([np.zeros(41), np.zeros(41), np.linspace(0, 360, 41)], axis=-1)}
    pose, _ = _posed(write_bvh(tmp_path / "a.bvh", turn, height, 41), 41)
    assert pose["jump"][:13].max() == 0.0
    assert pose["jump"][20] == pytest.approx(40 * 23 / 90 - 23 / 30, abs=0.3)
    assert np.abs(pose["yaw"]).max() <= 0.5 * np.pi
    assert np.abs(np.diff(pose["yaw"])).max() < 0.35, "it turns without a jump"


def test_beyond_its_end_the_file_goes_back_and_forth(tmp_path: Path) -> None:
    rotations, root = walking(31)
    file = write_bvh(tmp_path / "a.bvh", rotations, root, 31)
    pose = motion_pose(f"bvh:{file}", np.arange(61) / 30)
    np.testing.assert_allclose(pose["right_leg_swing"][31:], pose["right_leg_swing"][29::-1], atol=1e-4)


def test_a_file_drives_a_clip_and_fades_into_a_motion(tmp_path: Path) -> None:
    rotations, root = walking()
    file = write_bvh(tmp_path / "a.bvh", rotations, root, 60)
    clip = render_clip(PuppetSpec("miko", f"bvh:{file}>wave", "auto:happy", seed=3, frames=48, size=48))
    assert clip.keypoints.min() > 0.02
    assert clip.keypoints.max() < 0.98
    wrist, shoulder = (CANONICAL25.joints.index(f"right_{j}") for j in ("wrist", "shoulder"))
    assert clip.keypoints[0, wrist, 1] > clip.keypoints[0, shoulder, 1]
    assert clip.keypoints[-1, wrist, 1] < clip.keypoints[-1, shoulder, 1]
    # The seed varies what is made up, not what the user recorded.
    first, second = (motion_keypoints("hana", f"bvh:{file}", 10, 24.0, seed)[0] for seed in (1, 2))
    np.testing.assert_array_equal(first, second)


def _write_openpose(folder: Path, keypoints: np.ndarray, confidence: np.ndarray) -> None:
    folder.mkdir()
    for t in range(len(keypoints)):
        order = [0, 1, 2, 3, 4, 5, 6, 7, 18, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24]
        rows = np.column_stack([keypoints[t] * 512, confidence[t]])[order]
        people = [{"pose_keypoints_2d": rows.ravel().tolist()}]
        (folder / f"{t}.json").write_text(
            json.dumps({"people": people, "canvas_width": 512, "canvas_height": 512})
        )


def _angles(keypoints: np.ndarray, pairs: list[tuple[str, str]]) -> np.ndarray:
    names = CANONICAL25.joints
    bones = [keypoints[:, names.index(b)] - keypoints[:, names.index(a)] for a, b in pairs]
    return np.stack([np.arctan2(bone[:, 0], bone[:, 1]) for bone in bones], axis=-1)


@pytest.mark.parametrize("motion", ["wave", "walk", "dance"])
def test_openpose_is_followed_limb_by_limb(tmp_path: Path, motion: str) -> None:
    keypoints, _, _ = motion_keypoints("hana", motion, 36, OPENPOSE_FPS, seed=2)
    _write_openpose(tmp_path / "pose", keypoints, np.ones((36, 25)))
    made, _, _ = motion_keypoints("miko", f"openpose:{tmp_path / 'pose'}", 36, OPENPOSE_FPS)
    apart = np.angle(np.exp(1j * (_angles(made, LIMBS) - _angles(keypoints, LIMBS))))
    # The lift is a guess; on the picture limbs lie where they lay.
    assert np.median(np.abs(apart)) < 0.12
    assert np.quantile(np.abs(apart), 0.9) < 0.4


def test_a_short_bone_points_out_of_the_picture() -> None:
    names = CANONICAL25.joints
    points = motion_keypoints("hana", "idle", 1, OPENPOSE_FPS)[0].repeat(40, axis=0).astype(float)
    elbow, wrist = names.index("right_elbow"), names.index("right_wrist")
    knee, ankle = names.index("left_knee"), names.index("left_ankle")
    for t in range(40):
        length = 0.09 * (1.0 if t < 20 else 0.5)
        points[t, wrist] = points[t, elbow] + [0.0, length]
        points[t, ankle] = points[t, knee] + [0.0, 0.12 if t < 20 else 0.06]
    lifted = lift_openpose(points, np.ones((40, 25)), "here")
    forearm = lifted.points["right_wrist"] - lifted.points["right_elbow"]
    full = np.linalg.norm(forearm[5])
    assert abs(forearm[5, 2]) < 0.35 * full
    # Half as long: cos 60 degrees, less a twentieth for noise; it points to the viewer, a shin away from it.
    assert forearm[30, 2] / full == pytest.approx(np.sqrt(1 - (0.5 / 0.95) ** 2), abs=0.06)
    shin = lifted.points["left_ankle"] - lifted.points["left_knee"]
    assert shin[30, 2] / np.linalg.norm(shin[5]) < -0.7


def test_openpose_with_joints_missing_still_moves(tmp_path: Path) -> None:
    keypoints, _, _ = motion_keypoints("hana", "wave", 24, OPENPOSE_FPS, seed=2)
    confidence = np.ones((24, 25))
    random = np.random.default_rng(0)
    confidence[random.uniform(size=(24, 25)) < 0.2] = 0.0
    confidence[7] = 0.0
    names = CANONICAL25.joints
    for joint in ("left_ankle", "left_knee", "left_wrist", "right_eye", "right_ear", "nose"):
        confidence[:, names.index(joint)] = 0.0
    _write_openpose(tmp_path / "pose", keypoints * (confidence[..., None] > 0), confidence)
    pose = motion_pose(f"openpose:{tmp_path / 'pose'}", np.arange(30) / 24)
    assert set(pose) == set(CHANNELS)
    for channel, values in pose.items():
        assert np.isfinite(values).all(), channel
    joints = pose_figure(HANA, pose, None).joints
    assert (joints["right_wrist"][:, 1] < joints["right_shoulder"][:, 1]).mean() > 0.8, "it still waves"
    # What was never seen hangs at rest.
    assert (joints["left_wrist"][:, 1] > joints["left_elbow"][:, 1]).all()
    assert (joints["left_ankle"][:, 1] > joints["left_knee"][:, 1] + 5).all()


def test_openpose_without_hips_or_neck_is_refused(tmp_path: Path) -> None:
    keypoints, _, _ = motion_keypoints("hana", "wave", 2, OPENPOSE_FPS)
    confidence = np.ones((2, 25))
    for joint in ("mid_hip", "right_hip"):
        confidence[:, CANONICAL25.joints.index(joint)] = 0.0
    _write_openpose(tmp_path / "pose", keypoints, confidence)
    with pytest.raises(UserError, match="needs the neck .* and the hips"):
        read_capture(f"openpose:{tmp_path / 'pose'}")


def test_openpose_of_a_single_point_is_refused(tmp_path: Path) -> None:
    _write_openpose(tmp_path / "pose", np.full((2, 25, 2), 0.5), np.ones((2, 25)))
    with pytest.raises(UserError, match="pose: the person has no size"):
        read_capture(f"openpose:{tmp_path / 'pose'}")
