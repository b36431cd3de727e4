"""Coupling as the ground truth of coherence: nothing at 0, more with strength, late by a known time, readable."""

import numpy as np
import pytest

from temporal_gan.expressions import CLASSES, EXPRESSIONS, expression_track
from temporal_gan.puppet import CHARACTERS, MOTIONS
from temporal_gan.puppet.body import pose_figure
from temporal_gan.puppet.channels import Pose
from temporal_gan.puppet.coupling import COUPLING_LAG_SEC, RECOIL_SEC, mood_pose

MOODS = [name for name in CLASSES if name != "neutral"]
FPS, FRAMES = 24.0, 48
TIME = np.arange(FRAMES) / FPS


def _pose(motion: str, expression: str, coupling: float, seed: int = 3) -> Pose:
    return mood_pose(motion, TIME, expression_track(expression, FRAMES, FPS), coupling, seed)


def _features(motion: str, expression: str, coupling: float, seed: int) -> np.ndarray:
    """What a person would name: speed, bounce, droop, shoulders, head, tremor, lean, arms."""
    pose = _pose(motion, expression, coupling, seed)
    joints = pose_figure(CHARACTERS["hana"], pose, None).joints
    hip, neck = joints["mid_hip"], joints["neck"]
    places = np.stack(list(joints.values()), axis=1)
    facing = np.sign(pose["yaw"].mean())
    above = {
        part: np.mean([joints[f"{side}_{part}"][:, 1] - hip[:, 1] for side in ("right", "left")])
        for part in ("shoulder", "wrist")
    }
    spread = np.mean([np.abs(joints[f"{side}_wrist"][:, 0] - neck[:, 0]) for side in ("right", "left")])
    return np.array([
        np.abs(np.diff(places, axis=0)).mean(), np.ptp(hip[:, 1]), hip[:, 1].mean(), above["shoulder"],
        pose["head_pitch"].mean(), pose["head_pitch"].std(), np.abs(np.diff(pose["root_x"], n=2)).mean(),
        facing * (neck - hip)[:, 0].mean(), above["wrist"], spread, facing * pose["head_yaw"].mean(),
        pose["head_roll"].std(),
    ])  # fmt: skip


@pytest.mark.parametrize("motion", MOTIONS)
def test_at_strength_0_the_expression_does_nothing_at_all(motion: str) -> None:
    random = np.random.default_rng(1)
    wild = random.uniform(0.0, 1.0, (FRAMES, len(EXPRESSIONS))).astype(np.float32)
    for before in (False, True):
        plain = mood_pose(motion, TIME, expression_track("neutral", FRAMES, FPS), 0.0, 5, before)
        moved = mood_pose(motion, TIME, wild, 0.0, 5, before)
        for channel, values in plain.items():
            assert values.tobytes() == moved[channel].tobytes(), channel


def test_neutral_does_nothing_at_any_strength() -> None:
    plain, strong = _pose("walk", "neutral", 0.0), _pose("walk", "neutral", 1.0)
    for channel, values in plain.items():
        np.testing.assert_array_equal(values, strong[channel], err_msg=channel)


@pytest.mark.parametrize(
    ("expression", "feature", "sign"),
    [
        ("happy", 1, 1), ("happy", 0, 1), ("sad", 4, 1), ("sad", 0, -1), ("sad", 3, 1), ("angry", 5, 1),
        ("angry", 3, -1), ("surprised", 9, 1), ("surprised", 4, -1), ("scared", 6, 1), ("scared", 2, 1),
        ("disgusted", 10, -1), ("embarrassed", 4, 1), ("embarrassed", 10, 1),
    ],
)  # fmt: skip
def test_each_mood_shows_more_the_stronger_the_coupling(expression: str, feature: int, sign: int) -> None:
    values = [
        np.mean([_features("idle", expression, strength, seed)[feature] for seed in range(3)])
        for strength in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert (sign * np.diff(values) > 0).all(), values


def test_moods_show_more_the_stronger_the_face() -> None:
    pitches = [_pose("idle", f"sad:{amount}", 1.0)["head_pitch"].mean() for amount in (0.2, 0.5, 0.8, 1.0)]
    assert (np.diff(pitches) > 0.03).all()


@pytest.mark.parametrize("expression", MOODS)
def test_the_body_follows_the_face_by_the_same_known_lag(expression: str) -> None:
    track = np.tile(expression_track("neutral", 1, FPS), (FRAMES, 1))
    start = 20
    track[start:] = expression_track(expression, 1, FPS)
    moved = mood_pose("idle", TIME, track, 1.0, 3)
    still = mood_pose("idle", TIME, track, 0.0, 3)
    apart = np.max([np.abs(moved[c] - still[c]) for c in moved if c != "looseness"], axis=0)
    lag = round(COUPLING_LAG_SEC * FPS)
    assert lag == 3
    # The step of the track lies between two frames; the body's between the same two, three frames later.
    assert apart[: start + lag].max() == 0.0
    assert apart[start + lag] > 0.02
    full = mood_pose("idle", TIME, np.tile(track[-1:], (FRAMES, 1)), 1.0, 3)
    late = slice(start + lag + round(RECOIL_SEC * FPS) + 1, None)
    np.testing.assert_allclose(moved["shrug"][late], full["shrug"][late], atol=0.35)


def test_surprise_recoils_then_holds() -> None:
    track = np.tile(expression_track("neutral", 1, FPS), (FRAMES, 1))
    track[12:] = expression_track("surprised", 1, FPS)
    bow = mood_pose("idle", TIME, track, 1.0, 3)["bow"]
    bow = bow - mood_pose("idle", TIME, track, 0.0, 3)["bow"]
    recoil, hold = bow[16:23].min(), bow[30:]
    assert recoil < 2 * hold.min() < 0
    assert np.ptp(hold) < 0.02


def test_a_linear_read_out_tells_the_moods_apart() -> None:
    motions = ("idle", "walk", "wave")

    def table(coupling: float, seeds: range) -> tuple[np.ndarray, np.ndarray]:
        rows, labels = [], []
        for label, name in enumerate(CLASSES):
            for which, motion in enumerate(motions):
                for seed in seeds:
                    rows.append(
                        np.concatenate([_features(motion, name, coupling, seed), np.eye(len(motions))[which]])
                    )
                    labels.append(label)
        return np.array(rows), np.array(labels)

    def accuracy(coupling: float) -> float:
        (train, truth), (test, answer) = table(coupling, range(4)), table(coupling, range(4, 6))
        middle, spread = train.mean(0), train.std(0) + 1e-9
        train, test = ((np.c_[(x - middle) / spread, np.ones(len(x))]) for x in (train, test))
        ridge = train.T @ train + 0.01 * np.eye(train.shape[1])
        weights = np.linalg.solve(ridge, train.T @ np.eye(len(CLASSES))[truth])
        return float(((test @ weights).argmax(axis=1) == answer).mean())

    assert accuracy(1.0) > 0.9
    # Without coupling there is nothing to read: one in eight.
    assert accuracy(0.0) == pytest.approx(0.125, abs=0.01)


def test_variation_is_the_seeds_alone() -> None:
    first, again, other = (_pose("wave", "happy", 1.0, seed) for seed in (4, 4, 5))
    for channel, values in first.items():
        assert values.tobytes() == again[channel].tobytes()
    assert np.abs(first["right_elbow_out"] - other["right_elbow_out"]).max() > 0.05


def test_what_comes_before_leads_into_the_clip() -> None:
    track = expression_track("happy", FRAMES, FPS)
    before, pose = (mood_pose("walk", TIME, track, 1.0, 3, before=b) for b in (True, False))
    assert before["time"][0] == -1.5
    assert before["time"][-1] == pytest.approx(-1 / 24)
    for channel, values in pose.items():
        if channel in ("looseness",):
            continue
        step = values[0] - before[channel][-1]
        assert abs(step) <= 2.0 * np.abs(np.diff(values)).max() + 1e-9, channel


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_anger_closes_whichever_hand_is_open(seed: int) -> None:
    calm, angry = (_pose("wave", mood, 1.0, seed) for mood in ("neutral", "angry:1"))
    assert max(calm[f"{side}_hand_open"].max() for side in ("right", "left")) > 0.8
    for side in ("right", "left"):
        np.testing.assert_allclose(angry[f"{side}_hand_open"], 0.0, atol=1e-6)


def test_the_disgusted_turn_their_body_away_too() -> None:
    for seed in range(4):
        calm, disgusted = (_pose("idle", mood, 1.0, seed) for mood in ("neutral", "disgusted:1"))
        turned = (disgusted["yaw"] - calm["yaw"]) * np.sign(calm["yaw"])
        assert (turned > -0.4).all()
        assert (turned < -0.2).all()
