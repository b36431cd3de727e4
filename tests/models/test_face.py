"""The face network: where its square lies, what it changes, and what it leaves alone."""

import pytest
import torch

from temporal_gan.models.face import REACH, FaceNetwork, cut_square, face_square, inside_square, paste_square
from temporal_gan.skeletons import CANONICAL25, Skeleton

NECK, NOSE = CANONICAL25.joints.index("neck"), CANONICAL25.joints.index("nose")


def pose(nose: tuple[float, float] = (0.5, 0.4), count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """The neck a tenth of the picture under the nose."""
    keypoints = torch.zeros(count, 25, 2)
    keypoints[:, NOSE] = torch.tensor(nose)
    keypoints[:, NECK] = torch.tensor(nose) + torch.tensor([0.0, 0.1])
    return keypoints, torch.ones(count, 25)


def network(skeleton: Skeleton = CANONICAL25) -> FaceNetwork:
    torch.manual_seed(0)
    made = FaceNetwork(skeleton, 8, 4, 4, 6, 16)
    torch.nn.init.normal_(made.out.weight)
    return made


def test_the_square_is_around_the_nose_and_as_large_as_the_neck_is_far() -> None:
    middle, reach, seen = face_square(*pose(), (NECK, NOSE))
    torch.testing.assert_close(middle, torch.tensor([[0.5, 0.4]]))
    torch.testing.assert_close(reach, torch.tensor([REACH * 0.1]))
    assert seen.tolist() == [True]
    keypoints, confidence = pose()
    keypoints[0, NOSE], confidence[0, NOSE] = float("nan"), 0
    middle, reach, seen = face_square(keypoints, confidence, (NECK, NOSE))
    assert seen.tolist() == [False]
    assert bool(middle.isfinite().all())
    assert bool(reach.isfinite().all())


def test_what_is_cut_is_what_lies_there_and_goes_back_to_where_it_was() -> None:
    ramp = (torch.arange(64) + 0.5) / 64
    picture = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64)])[None]
    middle, reach = torch.tensor([[0.5, 0.4]]), torch.tensor([0.125])
    # Sixteen pixels of the picture to sixteen of the square, so that nothing is averaged.
    square = cut_square(picture, middle, reach, 16)
    assert square[0, 0, 0, 0] == pytest.approx(0.5 - 0.125 + 0.5 / 64, abs=1e-6)
    assert square[0, 1, 0, 0] == pytest.approx(0.4 - 0.125 + 0.5 / 64, abs=1e-6)
    back = paste_square(square, middle, reach, 64)
    keypoints, confidence = pose()
    keypoints[0, NECK, 1] = 0.4 + 0.11 / REACH
    inside = inside_square(keypoints[None], confidence[None], (NECK, NOSE), 64)[0]
    difference = (back - picture).abs() * inside
    assert float(difference.max()) < 1e-5
    assert float(back[0, :, :10].abs().max()) == 0
    # 14 x 14 pixels have their centres within 0.11 of the middle, sideways and, off the grid, up and down.
    assert int(inside.sum()) == 14 * 14


@torch.no_grad()
def test_only_the_square_is_repainted_and_the_expression_decides_how() -> None:
    net, made, others = network(), torch.rand(2, 4, 64, 64), torch.rand(2, 4, 64, 64)
    places, told = pose(count=2), torch.randn(2, 6)
    out = net(made, others, *places, told)
    changed = (out - made).abs().amax(1) > 1e-6
    square = inside_square(*(p[None] for p in places), (NECK, NOSE), 64)[0, :, 0]
    assert bool(changed.any())
    # Half a pixel of the square reaches beyond it.
    near = torch.nn.functional.max_pool2d(square.float()[:, None], 3, 1, 1)[:, 0] > 0
    assert not bool((changed & ~near).any())
    other = net(made, others, *places, told + 1)
    assert float((other - out).abs().max()) > 1e-3


def test_a_face_that_is_missing_is_left_alone_and_so_is_a_skeleton_without_one() -> None:
    made, others, told = torch.rand(1, 4, 64, 64), torch.rand(1, 4, 64, 64), torch.randn(1, 6)
    keypoints, confidence = pose()
    confidence[:, NOSE] = 0
    assert torch.equal(network()(made, others, keypoints, confidence, told), made)
    tail = Skeleton("tail", ("root", "tip"), ((0, 1),), (), (0, 0))
    net = network(tail)
    assert torch.equal(net(made, others, torch.rand(1, 2, 2), torch.ones(1, 2), told), made)
    assert [p.shape for p in net.parameters()] == [p.shape for p in network().parameters()]
