"""Full-reference metrics of made frames against the real frames of the same moment.

Every function takes videos [B, T, 3, H, W] in [0, 1] and returns [B] float64: the value of each frame, then
the mean over frames. A value that no pixel supports is NaN; whoever prints it says why.
"""

import torch
from torch import Tensor

from ..errors import UserError

PSNR_CAP_DB = 100.0
"""PSNR of identical frames: the error is held at 1e-10, as FastVideo's evaluation does."""

VISIBLE = 0.05
"""Smallest difference from the border colour, on [0, 1], that counts as a drawing."""

SSIM_WINDOW = 11
"""Pixels on a side; smaller frames have no SSIM."""

_SSIM_RADIUS, _SSIM_SIGMA = SSIM_WINDOW // 2, 1.5
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2


def psnr(made: Tensor, real: Tensor) -> Tensor:
    """Peak signal-to-noise ratio over the whole frame, mean over frames.

    Args:
        made, real: [B, T, 3, H, W], [0, 1].
    Returns:
        [B], dB, at most 100. Higher is better.
    Raises:
        UserError: shapes differ, or values leave [0, 1].
    """
    return psnr_per_frame(made, real).mean(dim=1)


def psnr_per_frame(made: Tensor, real: Tensor, mask: Tensor | None = None) -> Tensor:
    """``10 log10(1 / MSE)`` of each frame, over the mask where one is given.

    Args:
        made, real: [B, T, 3, H, W], [0, 1].
        mask: bool [B, T, 1, H, W] or None.
    Returns:
        [B, T], dB, at most 100; NaN where a frame's mask is empty. Higher is better.
    """
    check_videos(made, real)
    # One frame at a time: float64 copies of whole clips cost more time than the arithmetic.
    frames = []
    for t in range(made.shape[1]):
        error = (made[:, t].double() - real[:, t].double()).square().mean(dim=1, keepdim=True)
        frames.append(_masked_mean(error, None if mask is None else mask[:, t]))
    mse = torch.stack(frames, dim=1)
    return (-10 * torch.log10(mse.clamp(min=10 ** (-PSNR_CAP_DB / 10)))).clamp(max=PSNR_CAP_DB)


def foreground_psnr(made: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """PSNR inside the union of both silhouettes; an empty page cannot flatter it.

    Args:
        made, real: [B, T, 3, H, W], [0, 1].
        mask: bool [B, T, 1, H, W], from :func:`union_foreground`.
    Returns:
        [B], dB, mean over the frames that show a character; NaN where none does. Higher is better.
    """
    return psnr_per_frame(made, real, mask).nanmean(dim=1)


def ssim(made: Tensor, real: Tensor, mask: Tensor | None = None) -> Tensor:
    """Structural similarity (Wang et al. 2004), mean over the map of each frame, then over frames.

    Args:
        made, real: [B, T, 3, H, W], [0, 1], sides of at least 11.
        mask: bool [B, T, 1, H, W] or None; only windows centred inside it count.
    Returns:
        [B], at most 1; NaN where the mask is empty in every frame. Higher is better.
    Raises:
        UserError: shapes differ, values leave [0, 1], or frames are smaller than the window.
    """
    return mean_similarity(ssim_map(made, real), mask)


def ssim_map(made: Tensor, real: Tensor) -> Tensor:
    """Local structural similarity: Gaussian window 11x11, sigma 1.5, valid region only.

    K1 = 0.01, K2 = 0.03, range 1, population covariance, each colour channel alone, then their mean. Its
    mean equals scikit-image with ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False`` to 1e-6;
    other paddings and windows move the value by up to 0.03 at 64 px.

    Args:
        made, real: [B, T, 3, H, W], [0, 1], sides of at least 11.
    Returns:
        float64 [B, T, 1, H-10, W-10], at most 1, for windows centred on the pixels 5 away from the border.
    Raises:
        UserError: shapes differ, values leave [0, 1], or frames are smaller than the window.
    """
    check_videos(made, real)
    if min(made.shape[-2:]) < SSIM_WINDOW:
        raise UserError(f"ssim: frames of {made.shape[-1]}x{made.shape[-2]}, expected sides of 11 or more")
    # Frame by frame in float64: in float32 the variances cancel, and all frames at once take gigabytes.
    frames = [_similarity(made[:, t].double(), real[:, t].double()) for t in range(made.shape[1])]
    return torch.stack(frames, dim=1)


def mean_similarity(similarity: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean of a map from :func:`ssim_map`, over the windows centred inside a mask where one is given.

    Args:
        similarity: [B, T, 1, H-10, W-10].
        mask: bool [B, T, 1, H, W] or None.
    Returns:
        [B], mean over the frames whose mask is not empty; NaN where there is none.
    """
    r = _SSIM_RADIUS
    inner = None if mask is None else mask[..., r:-r, r:-r]
    return _masked_mean(similarity, inner).nanmean(dim=1)


def foreground_mask(video: Tensor) -> Tensor:
    """Where a character is drawn, per frame.

    RGBA: alpha above 0. RGB, or an alpha that is opaque everywhere and so says nothing: any channel differs
    from the frame's border colour (the median of its outermost pixels) by more than 5 %.

    Args:
        video: [B, T, 3 or 4, H, W], [0, 1]; RGBA premultiplied.
    Returns:
        bool [B, T, 1, H, W].
    """
    colour = video[:, :, :3]
    border = torch.cat([colour[..., 0, :], colour[..., -1, :], colour[..., :, 0], colour[..., :, -1]], dim=-1)
    page = border.median(dim=-1).values[..., None, None]
    differs = ((colour - page).abs() > VISIBLE).any(dim=2, keepdim=True)
    if video.shape[2] == 3:
        return differs
    alpha = video[:, :, 3:4]
    # Decided clip by clip: a clip's mask may not depend on its neighbours in the batch.
    opaque = (alpha >= 1).flatten(1).all(dim=1).view(-1, 1, 1, 1, 1)
    return torch.where(opaque, differs, alpha > 0)


def union_foreground(made_rgb: Tensor, real: Tensor) -> Tensor:
    """The union of both silhouettes.

    The made silhouette is read from its visible colours even where it has alpha: a network that leaves alpha
    slightly above 0, or paints an opaque white page, would otherwise have the empty page scored.

    Args:
        made_rgb: [B, T, 3, H, W], [0, 1], composited on white.
        real: [B, T, 3 or 4, H, W], [0, 1]; RGBA premultiplied.
    Returns:
        bool [B, T, 1, H, W].
    """
    return foreground_mask(made_rgb) | foreground_mask(real)


def sharpness_ratio(made: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean squared gradient inside the mask, made / real: below 1 is blur, above 1 is noise or ringing.

    Gradients are forward differences to the right and down, in every colour.

    Args:
        made, real: [B, T, 3, H, W], [0, 1].
        mask: bool [B, T, 1, H, W].
    Returns:
        [B]; NaN where the real clip has no gradient inside the mask. 1 is best.
    """
    check_videos(made, real)
    energy_made, energy_real = _gradient_energy(made, mask), _gradient_energy(real, mask)
    return torch.where(energy_real > 0, energy_made / energy_real, torch.nan)


def check_videos(made: Tensor, real: Tensor) -> None:
    """Raise UserError unless both are [B, T, 3, H, W] of equal shape with values in [0, 1]."""
    for name, video in (("made", made), ("real", real)):
        if video.ndim != 5 or video.shape[2] != 3 or not video.is_floating_point():
            raise UserError(
                f"{name} is {video.dtype} {tuple(video.shape)}, expected float [B, T, 3, H, W] in [0, 1]"
            )
        check_range(name, video)
    if made.shape != real.shape:
        raise UserError(f"made is {tuple(made.shape)} and real {tuple(real.shape)}, expected equal shapes")


def check_range(name: str, video: Tensor) -> None:
    """Raise UserError unless all values lie in [0, 1]; NaN does not."""
    # 1e-4 forgives resampling round-off; [-1, 1] or [0, 255] never passes unless the frame is blank.
    low, high = (float(v) for v in video.aminmax())
    if not (low >= -1e-4 and high <= 1 + 1e-4):
        raise UserError(f"{name} has values in [{low:.3g}, {high:.3g}], expected [0, 1]")


def _masked_mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """[..., 1, H, W] -> [...]; NaN where the mask is empty."""
    if mask is None:
        return values.mean(dim=(-3, -2, -1))
    weight = mask.to(values.dtype)
    return (values * weight).sum(dim=(-3, -2, -1)) / weight.sum(dim=(-3, -2, -1))


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """[B, 3, H, W] float64 twice -> [B, 1, H-10, W-10]."""
    mean_a, mean_b, aa, bb, ab = (_blur(x) for x in (a, b, a * a, b * b, a * b))
    variance = aa - mean_a**2 + bb - mean_b**2
    covariance = ab - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _SSIM_C1) / (mean_a**2 + mean_b**2 + _SSIM_C1)
    similarity = luminance * (2 * covariance + _SSIM_C2) / (variance + _SSIM_C2)
    return similarity.mean(dim=1, keepdim=True)


def _blur(image: Tensor) -> Tensor:
    """Gaussian window, valid region: [B, C, H, W] -> [B, C, H-10, W-10]."""
    offset = torch.arange(-_SSIM_RADIUS, _SSIM_RADIUS + 1, dtype=torch.float64)
    window = torch.exp(-0.5 * (offset / _SSIM_SIGMA) ** 2)
    window = window / window.sum()
    # Sums of shifted pictures: torch's float64 convolution is 7 times slower at 512 px on a CPU.
    for dim in (-1, -2):
        size = image.shape[dim] - SSIM_WINDOW + 1
        total = image.narrow(dim, 0, size) * float(window[0])
        for step in range(1, SSIM_WINDOW):
            total.add_(image.narrow(dim, step, size), alpha=float(window[step]))
        image = total
    return image


def _gradient_energy(video: Tensor, mask: Tensor) -> Tensor:
    """Sum over masked pixels of all frames of the squared forward differences: [B, T, 3, H, W] -> [B]."""
    total = torch.zeros(len(video), dtype=torch.float64, device=video.device)
    for t in range(video.shape[1]):
        frame, inside = video[:, t], mask[:, t]
        right = frame.diff(dim=-1).square() * inside[..., :, :-1]
        down = frame.diff(dim=-2).square() * inside[..., :-1, :]
        total += right.sum(dim=(1, 2, 3), dtype=torch.float64) + down.sum(dim=(1, 2, 3), dtype=torch.float64)
    return total
