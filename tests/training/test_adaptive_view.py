"""Adaptive augmentation's probability: when it moves, how far, and by whose verdicts."""

import pytest
import torch

from temporal_gan.distributed import World
from temporal_gan.losses.critic_view import CriticViewConfig
from temporal_gan.training.adaptive_view import AdaptiveView


def view(batch: int = 8, clips: int = 320) -> AdaptiveView:
    config = CriticViewConfig(colour=1.0, adaptive_target=0.6, adaptive_clips=clips)
    return AdaptiveView(config, batch)


def hear(view: AdaptiveView, *verdicts: tuple[float, float]) -> list[float]:
    """(sum of signs, number) of each update -> the probability after each."""
    after = []
    for signs, count in verdicts:
        view.hear(torch.tensor(signs), torch.tensor(count), World())
        after.append(round(float(view.probability), 6))
    return after


def test_it_moves_after_every_fourth_update_by_as_much_as_clips_were_shown() -> None:
    # 4 updates of 8 clips of 320: a tenth.
    assert hear(view(), *[(9.0, 10.0)] * 9) == [0, 0, 0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2]


def test_it_falls_below_the_target_and_stays_within_0_and_1() -> None:
    one = view()
    assert hear(one, *[(10.0, 10.0)] * 48)[-1] == 1.0
    assert hear(one, *[(5.0, 10.0)] * 4)[-1] == pytest.approx(0.9)
    assert hear(one, *[(-10.0, 10.0)] * 60)[-1] == 0.0


def test_the_mean_is_over_all_verdicts_of_the_four_updates() -> None:
    # Mean of the means 0.7; of all verdicts 0.55.
    assert hear(view(), (10.0, 10.0), (10.0, 10.0), (8.0, 20.0), (8.0, 20.0))[-1] == 0.0
    assert hear(view(), (20.0, 20.0), (20.0, 20.0), (2.0, 10.0), (2.0, 10.0))[-1] == pytest.approx(0.1)


def test_an_adjustment_begins_anew() -> None:
    one = view()
    hear(one, *[(10.0, 10.0)] * 4)
    # With the first four remembered the mean would be 0.77.
    assert hear(one, *[(5.4, 10.0)] * 4)[-1] == 0.0


def test_it_says_the_sign_of_this_update() -> None:
    one = view()
    hear(one, (1.0, 10.0))
    assert float(one.hear(torch.tensor(7.0), torch.tensor(10.0), World())) == pytest.approx(0.7)
    assert float(one.hear(torch.tensor(0.0), torch.tensor(0.0), World())) == 0.0


def test_half_way_between_two_adjustments_it_can_be_saved() -> None:
    one, two = view(), view()
    hear(one, (10.0, 10.0), (10.0, 10.0), (10.0, 10.0))
    two.load_state_dict(one.state_dict())
    assert hear(two, (10.0, 10.0)) == hear(one, (10.0, 10.0)) == [0.1]
