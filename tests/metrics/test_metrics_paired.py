"""Paired metrics against independent implementations, closed forms, and the ways they could be flattered."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from temporal_gan.metrics import paired


def clip(seed: int = 0, b: int = 2, t: int = 3, h: int = 24, w: int = 31) -> torch.Tensor:
    return torch.rand(b, t, 3, h, w, generator=torch.Generator().manual_seed(seed))


def drawing(size: int = 40) -> torch.Tensor:
    """A striped square on a white page: [1, 2, 3, size, size]."""
    video = torch.ones(1, 2, 3, size, size)
    video[..., 10:30, 10:30] = 0.2
    video[..., 10:30, 10:30:4] = 0.8
    return video


def test_ssim_equals_scikit_image() -> None:
    made, real = clip(0), (clip(0) * 0.7 + clip(1) * 0.3)
    expected = [
        np.mean(
            [
                structural_similarity(
                    real[b, t].double().numpy(),
                    made[b, t].double().numpy(),
                    channel_axis=0,
                    data_range=1.0,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
                for t in range(3)
            ]
        )
        for b in range(2)
    ]
    # scikit-image also drops the 5 border pixels before its mean: the valid region.
    np.testing.assert_allclose(paired.ssim(made, real).numpy(), expected, rtol=0, atol=1e-6)


def test_ssim_of_black_against_white_is_the_constant_term() -> None:
    black, white = torch.zeros(1, 1, 3, 16, 16), torch.ones(1, 1, 3, 16, 16)
    assert float(paired.ssim(black, white)) == pytest.approx(1e-4 / (1 + 1e-4), rel=1e-9)


def test_psnr_is_the_mean_of_frames_and_not_of_the_pooled_error() -> None:
    real = torch.full((1, 2, 3, 8, 8), 0.5)
    made = real.clone()
    made[:, 0] += 0.1
    made[:, 1] += 0.01
    assert float(paired.psnr(made, real)) == pytest.approx((20 + 40) / 2, abs=1e-4)


def test_identical_clips_have_perfect_scores() -> None:
    video = drawing()
    mask = paired.union_foreground(video, video)
    assert float(paired.psnr(video, video)) == 100
    assert float(paired.foreground_psnr(video, video, mask)) == 100
    assert float(paired.ssim(video, video)) == pytest.approx(1, abs=1e-12)
    assert float(paired.ssim(video, video, mask)) == pytest.approx(1, abs=1e-12)
    assert float(paired.sharpness_ratio(video, video, mask)) == 1


def test_scores_of_a_clip_do_not_depend_on_its_batch() -> None:
    made, real = clip(0, b=3), clip(1, b=3)
    mask = clip(2, b=3)[:, :, :1] > 0.5
    for score in (
        paired.psnr(made, real),
        paired.ssim(made, real),
        paired.ssim(made, real, mask),
        paired.foreground_psnr(made, real, mask),
        paired.sharpness_ratio(made, real, mask),
    ):
        assert score.shape == (3,)
    one = [paired.ssim(made[i : i + 1], real[i : i + 1], mask[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(torch.cat(one), paired.ssim(made, real, mask), rtol=0, atol=1e-12)
    one = [paired.foreground_psnr(made[i : i + 1], real[i : i + 1], mask[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(torch.cat(one), paired.foreground_psnr(made, real, mask), rtol=0, atol=1e-9)


def test_foreground_psnr_does_not_see_the_size_of_the_page() -> None:
    real = drawing()
    made = real.clone()
    made[..., 10:30, 10:30] += 0.1
    wide_real, wide_made = (
        torch.nn.functional.pad(v.flatten(0, 1), (40, 40, 40, 40), value=1.0)[None] for v in (real, made)
    )
    small = paired.foreground_psnr(made, real, paired.union_foreground(made, real))
    wide = paired.foreground_psnr(wide_made, wide_real, paired.union_foreground(wide_made, wide_real))
    assert float(small) == pytest.approx(20, abs=1e-4)
    assert float(wide) == pytest.approx(float(small), abs=1e-9)
    assert float(paired.psnr(wide_made, wide_real)) > float(paired.psnr(made, real)) + 5


def test_foreground_of_rgb_is_what_differs_from_the_border_by_more_than_five_percent() -> None:
    video = torch.full((1, 1, 3, 8, 8), 0.9)
    video[..., 1, 2, 2] = 0.9 - 0.051
    video[..., 1, 4, 4] = 0.9 - 0.049
    mask = paired.foreground_mask(video)
    assert mask.shape == (1, 1, 1, 8, 8)
    assert mask.sum() == 1
    assert bool(mask[0, 0, 0, 2, 2])


def test_foreground_of_rgba_is_alpha_unless_it_is_opaque_everywhere() -> None:
    video = torch.zeros(2, 1, 4, 8, 8)
    video[0, :, 3, 2:4, 2:4] = 0.01
    video[1, :, 3] = 1
    video[1, :, 0, 5, 5] = 1
    mask = paired.foreground_mask(video)
    assert mask[0].sum() == 4
    assert mask[1].sum() == 1


def test_a_made_alpha_above_zero_everywhere_does_not_make_the_page_foreground() -> None:
    real = torch.zeros(1, 1, 4, 40, 40)
    real[..., 10:20, 10:20] = 0.5
    made_rgb = torch.ones(1, 1, 3, 40, 40)
    made_rgb[..., 10:20, 22:30] = 0.4
    assert paired.union_foreground(made_rgb, real).sum() == 100 + 80


def test_sharpness_ratio_is_the_square_of_contrast_and_falls_with_blur() -> None:
    real = drawing()
    mask = paired.union_foreground(real, real)
    half = 0.5 + (real - 0.5) / 2
    assert float(paired.sharpness_ratio(half, real, mask)) == pytest.approx(0.25, abs=1e-5)
    blurred = torch.nn.functional.avg_pool2d(real.flatten(0, 1), 5, stride=1, padding=2)[None].clamp(0, 1)
    assert float(paired.sharpness_ratio(blurred, real, mask)) < 0.5


def test_sharpness_counts_nothing_outside_the_mask_and_nothing_against_a_flat_picture() -> None:
    real = drawing()
    mask = torch.zeros(1, 2, 1, 40, 40, dtype=torch.bool)
    mask[..., 5:35, 5:35] = True
    made = real.clone()
    made[..., 36:, 1::2] = 0
    assert float(paired.sharpness_ratio(made, real, mask)) == 1
    assert math.isnan(float(paired.sharpness_ratio(real, torch.ones_like(real), mask)))


def test_scores_without_any_foreground_are_nan() -> None:
    page = torch.ones(1, 2, 3, 16, 16)
    mask = paired.union_foreground(page, page)
    assert math.isnan(float(paired.foreground_psnr(page, page, mask)))
    assert math.isnan(float(paired.ssim(page, page, mask)))
    assert math.isnan(float(paired.sharpness_ratio(page, page, mask)))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (torch.full((1, 1, 3, 16, 16), -0.5), r"values in \[-0.5"),
        (torch.full((1, 1, 3, 16, 16), 255.0), "expected"),
        (torch.full((1, 1, 3, 16, 16), math.nan), "expected"),
        (torch.zeros(1, 1, 3, 16, 16, dtype=torch.uint8), "uint8"),
        (torch.zeros(1, 1, 4, 16, 16), "expected float"),
        (torch.zeros(1, 2, 3, 16, 16), "equal shapes"),
    ],
)
def test_wrong_ranges_types_and_shapes_are_refused(made: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired.psnr(made, torch.zeros(1, 1, 3, 16, 16))


def test_ssim_refuses_frames_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="11"):
        paired.ssim(torch.zeros(1, 1, 3, 10, 20), torch.zeros(1, 1, 3, 10, 20))
