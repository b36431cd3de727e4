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


# In closed form


def test_the_square_reaches_one_point_three_necks_and_a_doubtful_face_is_one() -> None:
    keypoints, confidence = pose()
    confidence[0, NOSE] = 0.3
    _, reach, seen = face_square(keypoints, confidence, (NECK, NOSE))
    assert reach.tolist() == pytest.approx([0.13])
    assert seen.tolist() == [True]


def test_beyond_the_pictures_border_the_border_goes_on() -> None:
    ramp = ((torch.arange(32) + 0.5) / 32).expand(1, 1, 32, 32)
    square = cut_square(ramp, torch.tensor([[0.0, 0.5]]), torch.tensor([0.25]), 16)[0, 0]
    assert square[:, :8].flatten().tolist() == pytest.approx([0.5 / 32] * 128)
    assert square[0, 8:].tolist() == pytest.approx(((torch.arange(8) + 0.5) / 32).tolist(), abs=1e-6)


@torch.no_grad()
def test_what_is_added_fades_over_a_tenth_of_the_half_side() -> None:
    """A network that adds 1 everywhere, in a square of 16 pixels around the middle of 64: its outermost pixels lie a
    sixteenth of the half side from the edge, where 0.0625 / 0.1 of it is left."""
    net, made = network(), torch.zeros(1, 4, 64, 64)
    net.out.weight.zero_()
    net.out.bias.fill_(1.0)  # type: ignore[union-attr]
    keypoints, confidence = pose((0.5, 0.5))
    keypoints[0, NECK] = torch.tensor([0.5, 0.5 + 0.125 / 1.3])
    added = net(made, torch.rand(1, 4, 64, 64), keypoints, confidence, torch.randn(1, 6))[0, 0]
    row = added[32, 23:33].tolist()
    assert row == pytest.approx([0.0, 0.625] + [1.0] * 8, abs=1e-4)
    assert float(added[24, 24]) == pytest.approx(0.625**2, abs=1e-4)
    torch.testing.assert_close(added, added.flip(0), rtol=0, atol=1e-4)
    torch.testing.assert_close(added, added.T, rtol=0, atol=1e-4)


def test_a_new_network_adds_nothing_and_learns_from_the_first_step() -> None:
    torch.manual_seed(0)
    new = FaceNetwork(CANONICAL25, 8, 4, 4, 6, 16)
    made, others, told = torch.rand(1, 4, 64, 64), torch.rand(1, 4, 64, 64), torch.randn(1, 6)
    out = new(made, others, *pose(), told)
    assert torch.equal(out, made)
    out.square().sum().backward()
    assert new.out.weight.grad is not None
    assert bool(new.out.weight.grad.flatten(1).any(1).all())
    awake = network()
    awake(made, others, *pose(), told).square().sum().backward()
    assert [n for n, p in awake.named_parameters() if p.grad is None or not p.grad.any()] == []


@torch.no_grad()
def test_every_resolution_is_seen_and_told_by_itself() -> None:
    """With one way left open at a time: over a skip what is seen, by scale and by shift what is told."""
    crops, told = torch.rand(2, 1, 8, 16, 16), torch.randn(2, 1, 6)
    for level in (0, 1):
        net = network()
        # Nothing passes beyond this level, so only its skip can tell the crops apart.
        net.down[level + 1].weight.zero_()
        net.down[2].weight.zero_()
        assert not torch.allclose(net.repaint(crops[0], told[0]), net.repaint(crops[1], told[0]), atol=1e-4)
    for level in range(3):
        for part in (0, 1):
            net = network()
            for number, modulate in enumerate(net.modulate):
                half = modulate.weight.chunk(2)[part]
                kept = half.clone()
                modulate.weight.zero_()
                if number == level:
                    half.copy_(kept)
            painted = [net.repaint(crops[0], t) for t in told]
            assert not torch.allclose(*painted, atol=1e-4), (level, part)
