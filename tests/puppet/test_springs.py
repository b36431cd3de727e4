"""Springs against the textbook, and against themselves cut into pieces."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from temporal_gan.expressions import expression_track
from temporal_gan.puppet import CHARACTERS
from temporal_gan.puppet.body import pose_figure
from temporal_gan.puppet.channels import Pose
from temporal_gan.puppet.coupling import mood_pose
from temporal_gan.puppet.springs import SPRINGS, Spring, trail

MIKO = CHARACTERS["miko"]
SPRING = (Spring("head", 2.0, 0.5),)


def _line(points: np.ndarray) -> np.ndarray:
    return np.stack([points, np.zeros_like(points)], axis=-1)[:, None]


def test_a_spring_follows_its_differential_equation() -> None:
    time = np.linspace(0.0, 2.0, 41)
    points = np.sin(3.0 * time) + 0.3 * time
    omega, zeta = 2 * np.pi * 2.0, 0.5

    def slope(t: float, state: np.ndarray) -> list[float]:
        at = float(np.interp(t, time, points))
        return [state[1], omega**2 * (at - state[0]) - 2 * zeta * omega * state[1]]

    solved = solve_ivp(slope, (0.0, 2.0), [points[0], 0.0], t_eval=time, rtol=1e-8, atol=1e-10, max_step=0.01)
    np.testing.assert_allclose(trail(_line(points), time, SPRING)[:, 0, 0], solved.y[0] - points, atol=2e-6)


def test_what_hangs_trails_by_twice_the_damping_over_the_frequency() -> None:
    time = np.linspace(0.0, 4.0, 97)
    offset = trail(_line(5.0 * time), time, SPRING)[-1, 0]
    np.testing.assert_allclose(offset, [-5.0 * 2 * 0.5 / (2 * np.pi * 2.0), 0.0], atol=1e-6)


@pytest.mark.parametrize("fps", [8, 12, 24, 60])
def test_springs_are_stable_and_agree_at_any_frame_rate(fps: int) -> None:
    def path(rate: float) -> np.ndarray:
        time = np.arange(int(6 * rate) + 1) / rate
        points = np.stack([_line(3 * np.sin(2 * np.pi * 0.5 * time))[:, 0]] * len(SPRINGS), axis=1)
        return trail(points, time, tuple(SPRINGS.values()))

    offset, fine = path(fps), path(240)
    assert np.abs(offset).max() < 6.0
    # Both start at rest; what is left is that the point moves in straight lines between samples.
    np.testing.assert_allclose(
        offset, fine[:: 240 // fps], atol={8: 0.15, 12: 0.07, 24: 0.02, 60: 0.004}[fps]
    )


def test_stiffer_springs_stay_closer() -> None:
    time = np.arange(120) / 24
    points = np.stack([_line(3 * np.sin(2 * np.pi * 0.8 * time))[:, 0]] * len(SPRINGS), axis=1)
    size = dict(
        zip(SPRINGS, np.abs(trail(points, time, tuple(SPRINGS.values()))[60:, :, 0]).max(0), strict=True)
    )
    assert size["tail"] > 1.3 * size["hair"] > 1.5 * size["fringe"]
    assert size["skirt"] > size["ears"]


def test_a_held_drawing_holds_its_springs() -> None:
    time = np.repeat(np.arange(20) / 10, 2)
    points = _line(np.sin(4 * time))
    offset = trail(points, time, SPRING)
    np.testing.assert_array_equal(offset[0::2], offset[1::2])
    np.testing.assert_array_equal(offset[0::2], trail(points[::2], time[::2], SPRING))


def _poses(frames: int, fps: float = 24.0) -> tuple[Pose, Pose]:
    time, track = np.arange(frames) / fps, expression_track("happy", frames, fps)
    return tuple(mood_pose("dance", time, track, 1.0, 3, before=b) for b in (False, True))  # type: ignore[return-value]


def test_a_clip_is_the_same_in_chunks() -> None:
    pose, before = _poses(40)
    whole = pose_figure(MIKO, pose, before)
    for start, end in ((0, 13), (13, 14), (14, 40)):
        chunk = {name: values[start:end] for name, values in pose.items()}
        earlier = {name: np.concatenate([before[name], values[:start]]) for name, values in pose.items()}
        part = pose_figure(MIKO, chunk, earlier)
        for name, values in whole.maps.items():
            np.testing.assert_array_equal(part.maps[name], values[start:end], err_msg=name)
        for name, values in whole.springs.items():
            np.testing.assert_array_equal(part.springs[name], values[start:end], err_msg=name)


def test_a_clip_starts_settled() -> None:
    """The first frame's hair moves as it does a cycle later, not from rest."""
    time, track = np.arange(97) / 24, expression_track("neutral", 97, 24.0)
    pose, before = (mood_pose("jump", time, track, 0.0, 11, before=b) for b in (False, True))
    hair = pose_figure(MIKO, pose, before).springs["hair"]
    cold = pose_figure(MIKO, pose, {name: values[-1:] for name, values in before.items()}).springs["hair"]
    assert np.abs(cold[0] - hair[0]).max() > 0.02
    warm = {name: values[len(values) // 3 :] for name, values in before.items()}
    # A second is as good as a second and a half: the pre-roll is long enough.
    np.testing.assert_allclose(pose_figure(MIKO, pose, warm).springs["hair"], hair, atol=0.02)


def test_hair_hangs_alike_at_any_frame_rate() -> None:
    slow, fast = (
        pose_figure(MIKO, *_poses(frames, fps)).springs for frames, fps in ((48, 24.0), (192, 96.0))
    )
    for name, offset in slow.items():
        assert np.abs(offset - fast[name][::4]).max() < 0.2, name
        assert np.ptp(offset) > 0.5


def test_throw_is_the_hairs_spring_and_limited() -> None:
    pose, before = _poses(30)
    figure = pose_figure(MIKO, pose, before)
    np.testing.assert_array_equal(figure.joints["throw"], figure.springs["hair"])
    for name, offset in figure.springs.items():
        assert offset.shape == (30, 2)
        assert 0.05 < np.abs(offset).max() < 3.5, name
