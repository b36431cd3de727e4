import numpy as np
import pytest

from temporal_gan.errors import UserError
from temporal_gan.puppet import CHARACTERS, MOTIONS, motion_keypoints
from temporal_gan.puppet.channels import CHANNELS, mirrored
from temporal_gan.puppet.motion import Step, motion_pose, parse_motion
from temporal_gan.skeletons import CANONICAL25

NAMES = CANONICAL25.joints
ISSUE = "idle walk run wave jump dance bow clap point nod shake sit-down cheer fall-asleep"
LOOPS = [name for name, motion in MOTIONS.items() if not motion.once]
ONCE = [name for name, motion in MOTIONS.items() if motion.once]
ALIVE = {"breath", "shrug", "tail_beat", "time", "travel", "root_x", "head_roll", "head_yaw", "head_pitch"}
"""Channels that never quite repeat, or run on."""


def test_the_fourteen_motions_are_there() -> None:
    assert list(MOTIONS) == ISSUE.split()
    assert set(ONCE) == {"bow", "point", "sit-down", "fall-asleep"}


@pytest.mark.parametrize("name", MOTIONS)
def test_every_channel_is_always_there(name: str) -> None:
    pose = motion_pose(name, np.arange(7) / 12)
    assert set(pose) == set(CHANNELS)
    for channel, values in pose.items():
        assert values.shape == (7,), channel
        assert np.isfinite(values).all(), channel


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_smooth_and_periodic(name: str) -> None:
    period = MOTIONS[name].period_sec
    time = np.linspace(0.0, period, 481)
    pose = motion_pose(name, time, phase=0.3)
    for channel, values in pose.items():
        if channel not in ALIVE:
            assert abs(values[-1] - values[0]) < 1e-9, channel
        if channel != "travel":
            # No step may be more than a few times the steepest one of a sine of the same range.
            step = np.abs(np.diff(values)).max()
            assert step <= 11 * np.pi / 480 * max(np.ptp(values), 1e-9), channel


@pytest.mark.parametrize("name", ONCE)
def test_performances_move_smoothly_then_hold(name: str) -> None:
    period = MOTIONS[name].period_sec
    pose = motion_pose(name, np.arange(0.0, 2.5 * period, period / 240))
    for channel, values in pose.items():
        if channel in ALIVE:
            continue
        moving, after = values[:250], values[280:]
        assert np.ptp(after) < 1e-9, channel
        if np.ptp(moving) > 1e-9:
            assert np.abs(np.diff(moving)).max() < 0.12 * np.ptp(moving), channel
    assert np.ptp(pose["breath"][280:]) > 0.5, "it breathes on"
    # A bow comes back up; who sat down stays.
    stays = name in ("sit-down", "fall-asleep")
    assert (abs(pose["hip_height"][-1] - pose["hip_height"][0]) > 15) == stays


def test_speed_amplitude_and_phase_mean_what_they_say() -> None:
    time = np.linspace(0.0, 2.0, 49)
    base = motion_pose("walk", time)["right_arm_swing"]
    np.testing.assert_allclose(motion_pose("walk", time / 2, speed=2.0)["right_arm_swing"], base, atol=1e-9)
    np.testing.assert_allclose(motion_pose("walk@speed=2", time / 2)["right_arm_swing"], base, atol=1e-9)
    shifted = motion_pose("walk", time, phase=0.25)["right_arm_swing"]
    np.testing.assert_allclose(shifted[:-6], base[6:], atol=1e-9)
    np.testing.assert_array_equal(motion_pose("walk@phase=0.25", time)["right_arm_swing"], shifted)
    wide = motion_pose("walk@amplitude=1.5", time)["right_arm_swing"]
    assert np.ptp(wide) == pytest.approx(1.5 * np.ptp(base))
    assert np.ptp(motion_pose("walk", time, amplitude=0.0)["right_arm_swing"]) == 0.0


def test_style_is_soft_or_snappy() -> None:
    time = np.linspace(0.0, 1.1, 221)

    def sharpness(style: float) -> float:
        """Greatest speed over range: how briefly the arm passes its middle."""
        elbow = motion_pose(f"wave@style={style}", time)["right_elbow_out"]
        return float(np.abs(np.diff(elbow)).max() / np.ptp(elbow))

    assert sharpness(1.0) > 1.25 * sharpness(0.0)
    soft, plain, snappy = (motion_pose(f"walk@style={s}", time) for s in (-1, 0, 1))
    assert soft["bow"].mean() > plain["bow"].mean() + 0.04 > snappy["bow"].mean() + 0.05
    # A soft walk is also slower and covers less ground.
    assert soft["travel"][-1] < 0.9 * plain["travel"][-1] < 0.85 * snappy["travel"][-1]


def test_the_head_leads_a_turn_and_the_elbow_follows_the_arm() -> None:
    time = np.linspace(0.0, 2.0, 2001)
    turn = motion_pose("dance", time)
    assert turn["head_yaw"].argmax() != turn["yaw"].argmax()
    head, body = np.gradient(turn["head_yaw"]), np.gradient(turn["yaw"])
    # Both turn back in the first half: the head is at its fastest first.
    assert 20 < body[:1000].argmin() - head[:1000].argmin() < 250


def test_steps_pass_smoothly_into_each_other() -> None:
    time = np.arange(144) / 24
    pose = motion_pose("walk>wave>idle", time, phase=0.2, end_sec=6.0)
    walk, wave, idle = (motion_pose(name, time, phase=0.2) for name in ("walk", "wave", "idle"))
    for channel in CHANNELS:
        if channel in ("travel",):
            continue
        # Equal shares, cyclic phases kept running: away from the borders it is the motion itself.
        np.testing.assert_allclose(pose[channel][:40], walk[channel][:40], atol=1e-12)
        np.testing.assert_allclose(pose[channel][60:88], wave[channel][60:88], atol=1e-12)
        np.testing.assert_allclose(pose[channel][108:], idle[channel][108:], atol=1e-12)
        steepest = max(np.abs(np.diff(m[channel])).max() for m in (walk, wave, idle))
        spread = np.ptp(np.concatenate([m[channel] for m in (walk, wave, idle)]))
        assert np.abs(np.diff(pose[channel])).max() <= steepest + 0.25 * spread, channel
    np.testing.assert_allclose(pose["travel"][:40], walk["travel"][:40], atol=1e-9)
    assert np.ptp(pose["travel"][60:]) == 0.0, "the ground stops with the walk"
    assert (np.diff(pose["travel"]) >= -1e-12).all()


def test_a_performance_begins_when_its_turn_comes() -> None:
    time = np.arange(240) / 24
    pose = motion_pose("idle>bow", time, end_sec=10.0)
    assert np.abs(pose["bow"][:110]).max() < 0.1
    assert pose["bow"][120:200].max() > 0.7


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("fly", "idle, walk, run, wave, jump"),
        ("walk>", "'walk>': a name is missing"),
        ("walk>@speed=2", "'' is not one of"),
        ("walk@pace=2", "option 'pace' is not one of: speed, amplitude, style, phase"),
        ("walk@speed=fast", "speed is 'fast', expected a number"),
        ("walk@speed=9", "must be from 0.1 to 4"),
        ("walk@style=2", "must be from -1 to 1"),
        ("walk@speed=nan", "must be from"),
        ("bvh:", "expected bvh:PATH"),
        ("bvh:/nowhere/walk.bvh", "/nowhere/walk.bvh: cannot be read"),
        ("openpose:/nowhere", "/nowhere: no such folder"),
    ],
)
def test_wrong_specifications_are_one_clear_line(spec: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        motion_pose(spec, np.zeros(3))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_specifications_are_read_to_steps() -> None:
    steps = parse_motion("walk@speed=1.2,amplitude=0.8,style=0.5>sit_down > bvh:a@b/c.bvh@speed=2")
    assert steps == (
        Step("walk", 1.2, 0.8, 0.5),
        Step("sit-down"),
        Step("bvh:a@b/c.bvh", 2.0),
    )
    assert parse_motion("fall_asleep") == parse_motion("fall-asleep")


@pytest.mark.parametrize("name", ["walk", "jump", "walk>bow"])
def test_drawings_held_on_twos_hold_the_pose(name: str) -> None:
    once, twice = np.arange(24) / 12, np.repeat(np.arange(24) / 12, 2)
    free, held = motion_pose(name, once, end_sec=2.0), motion_pose(name, twice, end_sec=2.0)
    for channel, values in held.items():
        np.testing.assert_array_equal(values[0::2], values[1::2], err_msg=channel)
        np.testing.assert_allclose(values[0::2], free[channel], atol=1e-9, err_msg=channel)


def test_breathing_goes_on_in_every_motion() -> None:
    time = np.linspace(0.0, 4.0, 97)
    for name in MOTIONS:
        assert np.ptp(motion_pose(name, time, amplitude=0.0)["breath"]) > 1.9, name


def test_the_other_side_is_the_mirror() -> None:
    time = np.arange(30) / 24
    there, here = motion_pose("run", time, other_side=True), motion_pose("run", time)
    expected = mirrored(here)
    for channel in set(CHANNELS) - ALIVE:
        np.testing.assert_allclose(there[channel], expected[channel], atol=1e-12)
    np.testing.assert_allclose(there["travel"], -here["travel"])
    again = mirrored(expected)
    for channel in CHANNELS:
        np.testing.assert_array_equal(again[channel], here[channel])


def test_the_seed_picks_the_side() -> None:
    toes = [NAMES.index(f"{side}_{part}") for part in ("big_toe", "heel") for side in ("right", "left")]
    sides = set()
    for seed in range(8):
        keypoints, _, _ = motion_keypoints("hana", "walk", frames=4, fps=24.0, seed=seed)
        x = keypoints[:, toes, 0].mean(axis=0)
        sides.add(bool(x[:2].sum() > x[2:].sum()))
    assert sides == {True, False}


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
