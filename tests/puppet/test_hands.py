"""Hands: what a closed, a spread and a pointing one look like."""

import numpy as np
import pytest

from temporal_gan.puppet.cast import find_character
from temporal_gan.puppet.hands import hand_drawing
from temporal_gan.puppet.motion import motion_pose

HANA = find_character("hana")


def _hand(sign: float, opened: float, pointing: float) -> np.ndarray:
    """[N, 2] its outline, in sizes of a hand, the thumb on the right."""
    fill = hand_drawing(HANA, sign, np.array([opened]), np.array([pointing])).fill[0].polygon
    return fill * [-sign, 1.0] / HANA.body.hand


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_one_finger_points_and_it_is_the_one_beside_the_thumb(sign: float) -> None:
    fist, pointing = _hand(sign, 0.0, 0.0), _hand(sign, 0.0, 1.0)
    assert fist[:, 1].max() < 2.0
    finger = pointing[pointing[:, 1] > 1.7]
    assert 2.7 < finger[:, 1].max() < 3.0
    assert 0.0 < finger[:, 0].min() < finger[:, 0].max() < 0.8
    spread = _hand(sign, 1.0, 0.0)
    beyond = spread[spread[:, 1] > 1.7]
    assert np.ptp(beyond[:, 0]) > 1.8, "all of them are spread"


def test_a_hand_that_moves_passes_through_the_still_ones() -> None:
    opened, pointing = np.array([1.0, 0.0, 0.0, 0.4]), np.array([0.0, 0.0, 1.0, 0.5])
    moving = hand_drawing(HANA, 1.0, opened, pointing)
    for t in range(4):
        still = hand_drawing(HANA, 1.0, opened[t : t + 1], pointing[t : t + 1])
        for ours, theirs in zip(moving.ink + moving.fill, still.ink + still.fill, strict=True):
            np.testing.assert_allclose(ours.polygon[t], theirs.polygon, atol=1e-9)


def test_who_points_stretches_the_finger_of_the_arm_that_is_raised() -> None:
    time = np.linspace(0.0, 1.8, 30)
    for other_side, raised, hanging in ((False, "right", "left"), (True, "left", "right")):
        pose = motion_pose("point", time, other_side=other_side)
        assert pose[f"{raised}_hand_point"][0] == pytest.approx(0.0, abs=0.02)
        assert pose[f"{raised}_hand_point"][-1] == pytest.approx(1.0, abs=0.02)
        assert pose[f"{raised}_arm_out"][-1] > 1.2
        assert not pose[f"{hanging}_hand_point"].any()
