"""The auxiliary classifier's loss: cross entropy by hand, and only where there is a label."""

import math

import pytest
import torch

from temporal_gan.losses.auxiliary import auxiliary_expression


def test_it_is_the_cross_entropy_of_what_is_labelled() -> None:
    logits = torch.tensor([[[math.log(3), 0.0, 9.0]], [[0.0, 0.0, 0.0]]])
    wanted = torch.tensor([[[1.0, 0.25, 0.0]], [[0.0, 1.0, 0.0]]])
    known = torch.tensor([[[1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]]])
    loss = auxiliary_expression(logits, wanted, known)
    assert loss.tolist() == pytest.approx([(math.log(4 / 3) + math.log(2)) / 2, 0.0], abs=1e-6)


def test_its_slope_is_towards_what_is_commanded() -> None:
    logits = torch.zeros(1, 2, 2, requires_grad=True)
    wanted = torch.tensor([[[1.0, 0.0], [0.5, 0.2]]])
    auxiliary_expression(logits, wanted, torch.ones(1, 2, 2)).sum().backward()
    torch.testing.assert_close(logits.grad, (0.5 - wanted) / 4)
