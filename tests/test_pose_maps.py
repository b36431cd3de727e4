"""Pose maps: sub-pixel accuracy, exact zeros instead of denormals, and channels that do not know how many joints
there are."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from temporal_gan.pose_maps import CHANNELS_PER_GROUP, draw_pose_maps, limb_codes, sigma_px
from temporal_gan.skeletons import CANONICAL25

SIZE = 32
CODE = slice(4, 8)


def draw_one(
    x: float, y: float, size: int = SIZE, confidence: float = 1.0, layer: int = 0, groups: int = 1
) -> torch.Tensor:
    """A single joint at (x, y) pixels of ``SIZE``: [groups, 8, size, size]."""
    maps = draw_pose_maps(
        torch.tensor([[[x, y]]]) / SIZE,
        torch.full((1, 1), confidence),
        torch.full((1, 1), layer),
        (),
        size,
        groups,
    )
    return maps.view(groups, CHANNELS_PER_GROUP, size, size)


def draw_limb(
    a: tuple[float, float],
    b: tuple[float, float],
    confidence: tuple[float, float] = (1.0, 1.0),
    layer: tuple[int, int] = (0, 0),
    groups: int = 1,
    size: int = SIZE,
) -> torch.Tensor:
    """One limb from a to b, in pixels of ``SIZE``: [groups, 8, size, size]."""
    maps = draw_pose_maps(
        torch.tensor([[a, b]]) / SIZE,
        torch.tensor([confidence]),
        torch.tensor([layer]),
        ((0, 1),),
        size,
        groups,
    )
    return maps.view(groups, CHANNELS_PER_GROUP, size, size)


def centroid(heat: torch.Tensor) -> tuple[float, float]:
    """x, y in pixels, pixel centres at whole numbers and a half."""
    centre = torch.arange(heat.shape[-1], dtype=torch.float64) + 0.5
    heat = heat.double()
    return float((heat.sum(0) * centre).sum() / heat.sum()), float((heat.sum(1) * centre).sum() / heat.sum())


def random_pose(joints: int, count: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.rand(count, joints, 2), torch.rand(count, joints), torch.randint(0, 3, (count, joints))


@settings(max_examples=25, derandomize=True, deadline=None)
@given(x=st.floats(8, 24), y=st.floats(8, 24))
def test_a_quarter_of_a_pixel_moves_the_centroid_by_a_quarter(x: float, y: float) -> None:
    before, after = centroid(draw_one(x, y)[0, 0]), centroid(draw_one(x + 0.25, y - 0.25)[0, 0])
    # Cutting at 3 sigma takes off different pixels on each side: up to 0.02 px at this width; whole pixels err by 0.25.
    assert before == pytest.approx((x, y), abs=0.02)
    assert after[0] - before[0] == pytest.approx(0.25, abs=0.02)
    assert after[1] - before[1] == pytest.approx(-0.25, abs=0.02)


def test_a_joint_at_a_pixel_centre_is_one_there_and_a_gaussian_around_it() -> None:
    heat, sigma = draw_one(10.5, 20.5)[0, 0], sigma_px(SIZE)
    assert float(heat[20, 10]) == pytest.approx(1, abs=1e-6)
    assert float(heat[20, 11]) == pytest.approx(math.exp(-1 / (2 * sigma**2)), abs=1e-5)
    assert float(heat[19, 11]) == pytest.approx(math.exp(-2 / (2 * sigma**2)), abs=1e-5)


@pytest.mark.parametrize("size", [4, 32, 64])
def test_maps_are_exactly_zero_beyond_three_sigma_and_hold_no_denormals(size: int) -> None:
    heat = draw_one(15.3, 16.9, size=size)[0, 0]
    centre = torch.arange(size) + 0.5
    scale = size / SIZE
    distance = torch.hypot(centre[None] - 15.3 * scale, centre[:, None] - 16.9 * scale)
    # 1e-4 px on either side of the edge: float32 does not decide which it is.
    reach = 3 * sigma_px(size)
    assert torch.equal(heat[distance > reach + 1e-4], torch.zeros_like(heat[distance > reach + 1e-4]))
    assert bool((heat[distance < reach - 1e-4] > 0).all())

    maps = draw_pose_maps(*random_pose(25), CANONICAL25.edges, size, 3)
    smallest = maps.abs()[maps != 0].min()
    # Confidence and code can each be small; anything near 1e-38 is the slow arithmetic of denormals.
    assert float(smallest) > 1e-12
    assert bool(maps.isfinite().all())


def test_confidence_zero_draws_nothing_and_others_scale() -> None:
    assert not draw_one(16, 16, confidence=0.0).any()
    torch.testing.assert_close(draw_one(16, 16, confidence=0.25), 0.25 * draw_one(16, 16), rtol=1e-6, atol=0)
    assert not draw_limb((8, 8), (24, 24), confidence=(1.0, 0.0))[0, 1:].any()
    sure, weak = draw_limb((8, 8), (24, 24)), draw_limb((8, 8), (24, 24), confidence=(0.9, 0.5))
    # The limb takes the lower of its joints' confidences.
    torch.testing.assert_close(weak[0, 1:], 0.5 * sure[0, 1:], rtol=1e-5, atol=1e-7)


def test_where_joints_overlap_the_map_stays_at_most_one() -> None:
    points = torch.full((1, 6, 2), 0.5)
    maps = draw_pose_maps(
        points, torch.ones(1, 6), torch.zeros(1, 6, dtype=torch.int64), ((0, 1), (2, 3)), SIZE, 1
    )
    assert float(maps.abs().max()) <= 1


@pytest.mark.parametrize(("layer", "group"), [(0, 0), (1, 1), (2, 2), (7, 2), (-1, 0)])
def test_layers_go_to_their_depth_group(layer: int, group: int) -> None:
    maps = draw_one(16, 16, layer=layer, groups=3)
    assert [bool(g.any()) for g in maps] == [i == group for i in range(3)]


def test_a_limb_belongs_to_the_group_of_its_nearer_joint() -> None:
    maps = draw_limb((8, 16), (24, 16), layer=(2, 1), groups=3)
    assert [bool(g[1:].any()) for g in maps] == [False, True, False]
    assert [bool(g[0].any()) for g in maps] == [False, True, True]


def test_limb_channels_hold_its_direction_and_identity() -> None:
    maps = draw_limb((8.5, 8.5), (20.5, 24.5))  # a 3-4-5 triangle
    middle = maps[0, :, 16, 14]
    assert float(middle[1]) == pytest.approx(1, abs=1e-5)
    assert middle[2:4].tolist() == pytest.approx([0.6, 0.8], abs=1e-5)
    torch.testing.assert_close(middle[CODE], limb_codes(1)[0].float(), rtol=1e-5, atol=1e-6)
    back = draw_limb((20.5, 24.5), (8.5, 8.5))[0, :, 16, 14]
    assert back[2:4].tolist() == pytest.approx([-0.6, -0.8], abs=1e-5)


def test_limb_codes_tell_every_limb_of_a_large_skeleton_apart() -> None:
    codes = limb_codes(60)
    assert float(codes.abs().max()) <= 1
    gaps = torch.cdist(codes, codes) + 10 * torch.eye(60)
    assert float(gaps.min()) > 0.05


@pytest.mark.parametrize("groups", [1, 3])
def test_channel_count_does_not_depend_on_the_skeleton(groups: int) -> None:
    chain = tuple((j, j + 1) for j in range(13))
    many = draw_pose_maps(*random_pose(25), CANONICAL25.edges, SIZE, groups)
    few = draw_pose_maps(*random_pose(14), chain, SIZE, groups)
    none = draw_pose_maps(*random_pose(14), (), SIZE, groups)
    assert many.shape == few.shape == none.shape == (2, groups * CHANNELS_PER_GROUP, SIZE, SIZE)


def test_every_pose_is_drawn_alone() -> None:
    points, confidence, layer = random_pose(25, count=4)
    whole = draw_pose_maps(points, confidence, layer, CANONICAL25.edges, 16, 3)
    for i in range(4):
        alone = draw_pose_maps(points[[i]], confidence[[i]], layer[[i]], CANONICAL25.edges, 16, 3)
        # Matrix products may sum in another order for another batch.
        torch.testing.assert_close(alone[0], whole[i], rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [8, 16, 64, 128])
def test_resolutions_agree_on_where_things_are(size: int) -> None:
    x, y = centroid(draw_one(15.3, 17.8, size=size)[0, 0])
    # In pixels of the drawn size; 0.02 as above.
    assert (x, y) == pytest.approx((15.3 * size / SIZE, 17.8 * size / SIZE), abs=0.02)
    limb = draw_limb((10, 17.8), (20.6, 17.8), size=size)[0, 1]
    assert centroid(limb) == pytest.approx((15.3 * size / SIZE, 17.8 * size / SIZE), abs=0.03)


def test_a_limb_of_no_length_is_drawn_without_nan() -> None:
    maps = draw_limb((16, 16), (16, 16))
    assert bool(maps.isfinite().all())
    assert float(maps[0, 1].max()) > 0.5


def test_joints_outside_the_picture_are_no_trouble() -> None:
    assert not draw_one(-20, 80).any()
    assert bool(draw_limb((-40, 16), (80, 16)).isfinite().all())
    assert float(draw_limb((-40, 16.5), (80, 16.5))[0, 1, 16, 16]) == pytest.approx(1, abs=1e-4)


def test_a_missing_joint_may_lie_anywhere() -> None:
    points, confidence, layer = random_pose(4, 1)
    confidence[0, 2] = 0
    drawn = []
    for junk in (0.3, math.nan, math.inf):
        points[0, 2] = junk
        drawn.append(draw_pose_maps(points, confidence, layer, ((0, 1), (1, 2), (2, 3)), SIZE, 2))
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[0], drawn[2])


def test_maps_keep_the_keypoints_precision() -> None:
    points, confidence, layer = random_pose(4)
    exact = draw_pose_maps(points.double(), confidence.double(), layer, ((0, 1), (1, 2)), SIZE, 2)
    assert exact.dtype == torch.float64
    rounded = draw_pose_maps(points, confidence, layer, ((0, 1), (1, 2)), SIZE, 2)
    torch.testing.assert_close(exact.float(), rounded, rtol=0, atol=1e-4)
