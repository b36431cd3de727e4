"""What upsampling leaves in the power spectrum: a checkerboard.

A transposed convolution of stride 2 lays its kernel over pixels of either parity unevenly (Odena et al. 2016,
distill.pub/2016/deconv-checkerboard). That is a pattern of period 2, and its harmonics where it comes from an earlier
layer: power at half a cycle a pixel, where drawings have little (Durall et al. 2020, arXiv 2003.01826, found spectra to
be wrong there; Zhang et al. 2019, arXiv 1907.06515, the peaks).
"""

import torch
from torch import Tensor

from .paired import check_videos

CARRIERS = ((0.0, 0.5), (0.5, 0.0), (0.5, 0.5))
"""Upright stripes, level stripes and a chessboard of period 2, in cycles a pixel down and across."""

SMALLEST_SIDE = 32
"""Pixels; below it the neighbourhoods of two carriers touch."""


def checkerboard_ratio(made: Tensor, real: Tensor) -> Tensor:
    """How far a pattern of period 2 stands out of the spectrum around it, made / real.

    Standing out is mean power near a carrier over mean power in the square ring around that; dividing by the same of
    the real clip takes out what its lines and their slope of the spectrum do there. Neither sharpening nor noise moves
    it; of the three carriers the worst counts.

    Args:
        made, real: [B, T, 3, H, W], [0, 1], sides of at least 32.
    Returns:
        float64 [B]; NaN where a clip is smaller or has one colour. 1 is as in the real clip, above is a pattern, below
        is blur, which empties the end of the spectrum.
    Raises:
        UserError: shapes differ, or values leave [0, 1].
    """
    check_videos(made, real)
    if min(made.shape[-2:]) < SMALLEST_SIDE:
        return torch.full((len(made),), torch.nan, dtype=torch.float64)
    return (_prominence(made) / _prominence(real)).amax(dim=1)


def power_spectrum(video: Tensor) -> Tensor:
    """Mean over frames and colours of the power of each frequency, frames faded out to their border (Hann window).

    Args:
        video: [B, T, 3, H, W], [0, 1].
    Returns:
        float64 [B, H, W], zero frequency first, in the order of ``torch.fft.fftfreq``.
    """
    total = torch.zeros(len(video), *video.shape[-2:], dtype=torch.float64)
    down, across = (torch.hann_window(side, dtype=torch.float64) for side in video.shape[-2:])
    for frame in video.unbind(1):
        centred = frame.double() - frame.double().mean(dim=(-2, -1), keepdim=True)
        total += torch.fft.fft2(centred * down[:, None] * across).abs().square().mean(dim=1)
    return total / video.shape[1]


def _prominence(video: Tensor) -> Tensor:
    """[B, 3]: of each carrier."""
    power = power_spectrum(video)
    height, width = power.shape[-2:]
    # Two bins are the width of the window's own peak; a pattern that only a figure wears is as wide as the figure is
    # narrow.
    near = max(2, min(height, width) // 32)
    found = []
    for down, across in CARRIERS:
        # The spectrum of a sampled picture goes round, so there is something on either side of its end.
        rows = _distance(height, down)[:, None].expand(height, width)
        columns = _distance(width, across)[None].expand(height, width)
        distance = torch.maximum(rows, columns)
        ring = (distance > near) & (distance <= 3 * near)
        found.append(power[:, distance <= near].mean(dim=1) / power[:, ring].mean(dim=1))
    return torch.stack(found, dim=1)


def _distance(side: int, frequency: float) -> Tensor:
    """[side]: of every frequency to one of them, in bins."""
    away = torch.fft.fftfreq(side, dtype=torch.float64) - frequency
    return ((away + 0.5).remainder(1) - 0.5).abs() * side
