"""Which reference is trusted for which pose, and how one gives way to the next."""

import pytest
import torch
from torch import Tensor

from temporal_gan.models.conditioning import POSE_SIGMA, POSE_SIGMA_GROWTH, reference_preference


def weights(share: Tensor, distance: float) -> Tensor:
    """[T] -> [T, 2], softmax of the preference, on the way between two references a distance apart."""
    places = torch.tensor([[0.4, 0.5], [0.4 + distance, 0.5]])
    poses = places[0] + share[:, None] * (places[1] - places[0])
    ones = torch.ones(1, 2, 1)
    return reference_preference(
        poses[None, :, None], torch.ones(1, len(share), 1), places[None, :, None], ones
    ).softmax(-1)[0]


def test_one_reference_gives_way_to_the_other_gradually_however_far_they_are() -> None:
    share = torch.linspace(0, 1, 9)
    for distance in (0.03, 0.1, 0.3):
        second = weights(share, distance)[:, 1]
        assert bool((second.diff() >= 0).all())
        assert float(second[0]) < 0.02
        assert float(second[-1]) > 0.98
        assert abs(float(second[4]) - 0.5) < 1e-3
        # In eight frames no step is a pop.
        assert float(second.diff().max()) < 0.4
        assert 0.05 < float(second[3]) < 0.45


def test_the_values_are_those_of_the_equation() -> None:
    near, far = 0.02, 0.05
    poses, references = torch.tensor([[[[0.5, 0.5]]]]), torch.tensor([[[[0.52, 0.5]], [[0.55, 0.5]]]])
    found = reference_preference(poses, torch.ones(1, 1, 1), references, torch.ones(1, 2, 1))[0, 0]
    spread = POSE_SIGMA**2 + (POSE_SIGMA_GROWTH * near) ** 2
    expected = torch.tensor([0.0, max((near**2 - far**2) / (2 * spread), -8.0)])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    missing = reference_preference(poses, torch.ones(1, 1, 1), references, torch.tensor([[[1.0], [0.0]]]))
    assert missing[0, 0].tolist() == [0.0, float("-inf")]


def preferred(*distances: float, confidence: Tensor | None = None) -> list[float]:
    """Of references so far to the right of a pose of one joint."""
    poses = torch.tensor([[[[0.1, 0.5]]]])
    references = torch.tensor([[[[0.1 + d, 0.5]] for d in distances]])
    seen = torch.ones(1, len(distances), 1) if confidence is None else confidence
    return reference_preference(poses, torch.ones(1, 1, 1), references, seen)[0, 0].tolist()


def test_the_values_are_those_that_were_measured_to_be_good() -> None:
    """A hundredth of the picture, and seven tenths of the distance to the nearest: (0.02^2 - 0.05^2) / 2 / 0.000296."""
    assert preferred(0.02, 0.05) == pytest.approx([0.0, -3.5473], rel=1e-3)
    assert preferred(0.1, 0.15) == pytest.approx([0.0, -1.25], rel=1e-3)
    # However far, it can still serve where the near one cannot.
    assert preferred(0.0, 0.03, 0.7) == pytest.approx([0.0, -4.5, -8.0], rel=1e-3)


def test_a_joint_that_is_missing_on_either_side_does_not_count_whatever_its_place() -> None:
    poses = torch.tensor([[[[0.5, 0.5], [0.5, 0.7], [0.5, 0.9]]]])
    references = torch.tensor(
        [[[[0.52, 0.5], [0.9, 0.9], [0.9, 0.9]], [[0.55, 0.5], [0.5, 0.7], [0.5, 0.9]]]]
    )
    confidence, seen = torch.tensor([[[1.0, 1.0, 0.0]]]), torch.tensor([[[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]])
    wanted = reference_preference(poses[:, :, :1], confidence[:, :, :1], references[:, :, :1], seen[:, :, :1])
    for junk in (0.0, float("nan"), float("inf")):
        poses[..., 2, :], references[..., 1, :] = junk, junk
        assert torch.equal(reference_preference(poses, confidence, references, seen), wanted)
    assert preferred(0.1, 0.2, confidence=torch.zeros(1, 2, 1)) == [float("-inf")] * 2
