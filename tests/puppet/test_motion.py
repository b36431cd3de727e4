import numpy as np
import pytest

from temporal_gan.errors import UserError
from temporal_gan.puppet import CHARACTERS, MOTIONS, motion_keypoints
from temporal_gan.puppet.motion import motion_pose
from temporal_gan.skeletons import CANONICAL25

NAMES = CANONICAL25.joints


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_are_smooth_and_periodic(name: str) -> None:
    period = MOTIONS[name].period_sec
    time = np.linspace(0.0, period, 481)
    pose = motion_pose(name, time)
    for channel, values in pose.items():
        if channel in ("breath", "shrug", "tail_beat"):
            continue
        assert abs(values[-1] - values[0]) < 1e-9, channel
        # No step may be more than a few times the steepest one of a sine of the same range.
        step = np.abs(np.diff(values)).max()
        assert step <= 8 * np.pi / 480 * max(np.ptp(values), 1e-9), channel


def test_speed_amplitude_and_phase_mean_what_they_say() -> None:
    time = np.linspace(0.0, 2.0, 49)
    base = motion_pose("walk", time)["right_leg_swing"]
    np.testing.assert_allclose(motion_pose("walk", time / 2, speed=2.0)["right_leg_swing"], base, atol=1e-9)
    shifted = motion_pose("walk", time, phase=0.25)["right_leg_swing"]
    np.testing.assert_allclose(shifted[:-6], base[6:], atol=1e-9)
    wide = motion_pose("walk", time, amplitude=2.0)["right_leg_swing"]
    assert np.ptp(wide) == pytest.approx(2 * np.ptp(base))
    assert np.ptp(motion_pose("walk", time, amplitude=0.0)["right_leg_swing"]) == 0.0
    earlier = motion_pose("walk", time, lag_sec=time[3])["right_leg_swing"]
    np.testing.assert_allclose(earlier[3:], base[:-3], atol=1e-9)


def test_breathing_goes_on_in_every_motion() -> None:
    time = np.linspace(0.0, 4.0, 97)
    for name in MOTIONS:
        assert np.ptp(motion_pose(name, time, amplitude=0.0)["breath"]) > 1.9, name


def test_walking_legs_take_turns_and_arms_swing_against_them() -> None:
    keypoints, _, _ = motion_keypoints("hana", "walk", frames=96, fps=24.0)
    x = keypoints[:, :, 0] - keypoints[:, [NAMES.index("mid_hip")], 0]
    right, left = x[:, NAMES.index("right_ankle")], x[:, NAMES.index("left_ankle")]
    assert np.corrcoef(right, left)[0, 1] < -0.8
    assert np.corrcoef(right, x[:, NAMES.index("right_wrist")])[0, 1] < -0.7
    # On the spot: the hips hardly leave their place, and bob.
    hips = keypoints[:, NAMES.index("mid_hip")]
    assert np.ptp(hips[:, 0]) < 0.03
    assert 0.002 < np.ptp(hips[:, 1]) < 0.05


def test_feet_stay_on_the_ground_except_in_a_jump() -> None:
    feet = [i for i, name in enumerate(NAMES) if name.endswith(("toe", "heel"))]
    for name in MOTIONS:
        keypoints, _, _ = motion_keypoints("hana", name, frames=60, fps=24.0)
        lowest = keypoints[:, feet, 1].max(axis=1)
        if name == "jump":
            assert np.ptp(lowest) > 0.06
        else:
            # The camera looks down, so a foot that walks towards the viewer is drawn 2 % of the frame lower.
            assert np.ptp(lowest) < (0.021 if name == "walk" else 0.002), name


def test_the_waving_hand_is_above_its_shoulder_and_the_jump_lifts_both() -> None:
    for character in CHARACTERS:
        keypoints, _, _ = motion_keypoints(character, "wave", frames=48, fps=24.0)
        assert (
            keypoints[:, NAMES.index("right_wrist"), 1] < keypoints[:, NAMES.index("right_shoulder"), 1]
        ).all()
        assert (keypoints[:, NAMES.index("left_wrist"), 1] > keypoints[:, NAMES.index("left_elbow"), 1]).all()
        keypoints, _, _ = motion_keypoints(character, "jump", frames=48, fps=24.0)
        top = keypoints[:, NAMES.index("mid_hip"), 1].argmin()
        for side in ("right", "left"):
            assert (
                keypoints[top, NAMES.index(f"{side}_wrist"), 1]
                < keypoints[top, NAMES.index(f"{side}_shoulder"), 1]
            )


def test_unknown_motion_lists_the_valid_ones() -> None:
    with pytest.raises(UserError, match="idle, walk, wave, jump"):
        motion_pose("fly", np.zeros(3))
