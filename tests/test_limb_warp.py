"""Limb warp: texture goes where its limb goes, and with depth layers nothing else goes with it."""

import math

import pytest
import torch

from temporal_gan.limb_warp import limb_warp

BONES = ((0, 1), (1, 2))


def blob_picture(points: torch.Tensor, size: int = 64) -> torch.Tensor:
    """A soft spot of another colour on each joint [J, 2]: [3, S, S] in [-1, 1] on black."""
    centre = (torch.arange(size) + 0.5) / size
    distance = (centre - points[:, 0, None, None]) ** 2 + (centre[:, None] - points[:, 1, None, None]) ** 2
    return torch.exp(-distance / (2 * 0.03**2)) * 2 - 1


def carry(
    picture: torch.Tensor, source: torch.Tensor, target: torch.Tensor, seen: torch.Tensor | None = None
) -> torch.Tensor:
    """limb_warp of one reference to one frame."""
    here = torch.ones(1, 1, 3) if seen is None else seen[None, None]
    return limb_warp(picture[None, None], source[None, None], here, target[None, None], here, BONES)[0, 0, 0]


ELBOW = torch.tensor([[0.3, 0.5], [0.5, 0.5], [0.5, 0.7]])


def test_limb_warp_to_the_same_pose_changes_nothing() -> None:
    picture = blob_picture(ELBOW)
    torch.testing.assert_close(carry(picture, ELBOW, ELBOW), picture, rtol=0, atol=1e-4)


def test_limb_warp_moves_and_turns_a_picture_with_its_pose() -> None:
    cos, sin = math.cos(0.4), math.sin(0.4)
    turned = (ELBOW - 0.5) @ torch.tensor([[cos, sin], [-sin, cos]]) + 0.5 + torch.tensor([0.05, -0.03])
    warped = carry(blob_picture(ELBOW), ELBOW, turned)
    # The spots are round, so a rigid motion takes them to those of the turned pose.  Bilinear sampling lowers a peak
    # 2 pixels wide by up to 0.09.
    torch.testing.assert_close(warped, blob_picture(turned), rtol=0, atol=0.12)


def test_limb_warp_bends_each_limb_on_its_own() -> None:
    bent = ELBOW.clone()
    bent[2] = torch.tensor([0.68, 0.58])
    warped, wanted = carry(blob_picture(ELBOW), ELBOW, bent), blob_picture(bent)
    for j, (x, y) in enumerate((bent * 64).long().tolist()):
        assert warped[j, y, x] > 0.8, j
        assert wanted[j, y, x] > 0.8, j


def test_a_limb_that_points_the_other_way_has_little_say() -> None:
    """A spot as near to it as to the limb that did not turn stays; the mean of both would take it to their joint."""
    turned = ELBOW.clone()
    turned[2] = torch.tensor([0.5, 0.3])
    spot = torch.tensor([[0.4, 0.4]])
    warped = carry(blob_picture(spot), ELBOW, turned)
    y, x = divmod(int(warped[0].argmax()), 64)
    assert abs(x - 0.4 * 64) < 2
    assert abs(y - 0.4 * 64) < 2
    assert float(warped.max()) > 0.5


def test_limb_warp_does_without_a_missing_joint_whatever_its_coordinates() -> None:
    seen = torch.tensor([1.0, 1.0, 0.0])
    moved = ELBOW + 0.1
    results = []
    for junk in (0.0, 0.9, math.nan, math.inf):
        source, target = ELBOW.clone(), moved.clone()
        source[2], target[2] = junk, junk
        results.append(carry(blob_picture(ELBOW), source, target, seen))
    for other in results[1:]:
        assert torch.equal(other, results[0])
    at = (moved[0] * 64).long()
    assert results[0][0, at[1], at[0]] > 0.8


def test_limb_warp_without_any_limb_gives_the_reference_itself() -> None:
    picture = blob_picture(ELBOW)
    assert torch.equal(carry(picture, ELBOW, ELBOW + 0.2, torch.zeros(3)), picture)


LEGS = ((0, 1), (2, 3))
LAYER = torch.tensor([0, 0, 2, 2])


def legs(left: float, right: float, top: float = 0.2) -> torch.Tensor:
    """Two upright limbs at these x."""
    return torch.tensor([[left, top], [left, 0.8], [right, top], [right, 0.8]])


def bars(points: torch.Tensor, size: int = 64) -> torch.Tensor:
    """Upright bars 0.08 wide along both limbs, the first in channel 0 and the second in channel 1: [2, S, S]."""
    centre = (torch.arange(size) + 0.5) / size
    beside = [(centre - points[limb, 0]).abs() < 0.04 for limb in (0, 2)]
    return torch.stack(beside)[:, None].expand(2, size, size).float()


def carry_legs(source: torch.Tensor, target: torch.Tensor, layer: torch.Tensor | None) -> torch.Tensor:
    seen = torch.ones(1, 1, 4)
    depth = None if layer is None else layer[None, None]
    picture = bars(source)[None, None]
    return limb_warp(picture, source[None, None], seen, target[None, None], seen, LEGS, depth)[0, 0, 0]


def test_layers_in_the_same_pose_change_nothing() -> None:
    source = legs(0.35, 0.65)
    torch.testing.assert_close(carry_legs(source, source, LAYER), bars(source), rtol=0, atol=1e-4)


def test_limbs_of_one_layer_are_warped_together() -> None:
    source, target = legs(0.35, 0.65), legs(0.3, 0.75)
    one = carry_legs(source, target, torch.ones(4, dtype=torch.int64))
    torch.testing.assert_close(one, carry_legs(source, target, None), rtol=0, atol=1e-5)


def test_legs_that_part_do_not_grow_together() -> None:
    """The mean of both legs' transforms stretches what lies between them in the reference, here half of either leg."""
    source, target = legs(0.46, 0.54), legs(0.3, 0.7)
    middle = (slice(None), slice(24, 40), slice(26, 38))
    web = carry_legs(source, target, None)[middle].sum(0).mean()
    free = carry_legs(source, target, LAYER)[middle].sum(0).mean()
    assert web > 0.9
    assert free < 0.35  # where no layer has anything, the warp of both together shows faintly
    apart = carry_legs(source, target, LAYER)
    assert apart[0, 32, 19] > 0.8
    assert apart[1, 32, 44] > 0.8
    # Beside each leg lies the other one in the reference, which is not its own to bring along.
    assert apart[1, 32, 24] < 0.65
    assert apart[0, 32, 39] < 0.65


def test_the_near_layer_hides_the_far_one() -> None:
    source, target = legs(0.3, 0.7), legs(0.5, 0.5)
    near_first = carry_legs(source, target, LAYER)[:, 32, 32]
    near_second = carry_legs(source, target, LAYER.flip(0))[:, 32, 32]
    # Half of the nearness is either limb's; the near one takes its half first and the far one half of what is left.
    assert near_first[0] > 1.5 * near_first[1]
    assert near_second[1] > 1.5 * near_second[0]


def test_layers_do_without_a_missing_joint_whatever_its_coordinates() -> None:
    source, target, seen = legs(0.3, 0.7), legs(0.4, 0.6), torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
    results = []
    for junk in (0.0, math.nan):
        source[3], target[3] = junk, junk
        picture = bars(legs(0.3, 0.7))[None, None]
        results.append(
            limb_warp(picture, source[None, None], seen, target[None, None], seen, LEGS, LAYER[None, None])
        )
    assert torch.equal(*results)
    assert float(results[0][0, 0, 0, 0, 32, 25]) > 0.8


# Fields coarser than the picture


def person(turn: float = 0.0, shift: float = 0.0) -> torch.Tensor:
    """A trunk and two arms: both elbows turned by an angle, all of it moved: [5, 2]."""
    joints = torch.tensor([[0.5, 0.3], [0.5, 0.75], [0.3, 0.4], [0.7, 0.4], [0.5, 0.15]])
    cos, sin = math.cos(turn), math.sin(turn)
    for arm in (2, 3):
        x, y = (joints[arm] - joints[0]).tolist()
        joints[arm] = joints[0] + torch.tensor([x * cos - y * sin, x * sin + y * cos])
    return joints + shift


BODY = ((0, 1), (0, 2), (0, 3), (0, 4))


def waves(size: int = 64) -> torch.Tensor:
    """A smooth picture, some eight pixels from light to dark: [3, S, S]."""
    x = (torch.arange(size) + 0.5) / size
    return torch.stack([(k * x).sin() * (k * x[:, None]).cos() for k in (10.0, 17.0, 25.0)])


def carry_person(
    source: torch.Tensor, target: torch.Tensor, field_size: int | None, layered: bool = False
) -> torch.Tensor:
    seen = torch.ones(1, 1, 5)
    layer = torch.tensor([[[1, 1, 0, 2, 1]]]) if layered else None
    return limb_warp(
        waves()[None, None], source[None, None], seen, target[None, None], seen, BODY, layer, field_size
    )[0, 0, 0]


@pytest.mark.parametrize("layered", [False, True])
@pytest.mark.parametrize("field_size", [16, 32, 64])
def test_a_coarser_field_of_the_same_pose_changes_nothing(field_size: int, layered: bool) -> None:
    torch.testing.assert_close(
        carry_person(person(), person(), field_size, layered), waves(), rtol=0, atol=2e-3
    )


@pytest.mark.parametrize("layered", [False, True])
def test_a_field_at_half_the_resolution_moves_texture_as_the_whole_one_does(layered: bool) -> None:
    """As long as the pose changes smoothly; and it is the picture's own texture, at its own resolution."""
    source, target = person(), person(turn=0.2, shift=0.03)
    whole, half, quarter = (carry_person(source, target, size, layered) for size in (64, 32, 16))
    moved = float((whole - waves()).abs().mean())
    assert moved > 0.1
    errors = [float((field - whole).abs().mean()) for field in (half, quarter)]
    assert errors[0] < 0.05 * moved
    assert errors[0] < errors[1] < 0.2 * moved
    fine = [float(field.diff(dim=-1).square().mean()) for field in (whole, half)]
    assert fine[1] == pytest.approx(fine[0], rel=0.05)


def test_a_coarse_field_moves_a_picture_by_parts_of_its_own_pixels() -> None:
    """Three of 64 pixels are less than one of 16, and still exact: a field says by how much to move."""
    moved = carry_person(person(), person(shift=3 / 64), 16)
    torch.testing.assert_close(moved[:, 8:-8, 8:-8], waves()[:, 5:-11, 5:-11], rtol=0, atol=2e-3)


def test_the_field_of_the_pictures_own_size_is_the_usual_one() -> None:
    source, target = person(), person(turn=0.3)
    assert torch.equal(carry_person(source, target, 64, True), carry_person(source, target, None, True))
