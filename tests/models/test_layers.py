"""Shared layers: every way up doubles, starts without a checkerboard where it says so, and pixels do not mix."""

import pytest
import torch

from temporal_gan.models.layers import ChannelNorm, Upsample, Upsampling


@pytest.mark.parametrize("kind", ["deconv", "resize", "pixelshuffle"])
def test_upsampling_doubles_both_sides(kind: Upsampling) -> None:
    assert Upsample(kind, 6, 5)(torch.randn(2, 6, 4, 3)).shape == (2, 5, 8, 6)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["resize", "pixelshuffle"])
def test_a_flat_map_stays_flat_at_the_start(kind: Upsampling) -> None:
    """Neither weights nor bias may tell the pixels of a 2x2 block apart, which shows as a checkerboard."""
    out = Upsample(kind, 6, 5)(torch.randn(1, 6, 1, 1).expand(1, 6, 6, 6))
    inner = out[..., 4:8, 4:8]  # away from the zero padding
    torch.testing.assert_close(inner, inner[..., :1, :1].expand_as(inner), rtol=0, atol=1e-6)
    assert float(out.std()) > 0


@torch.no_grad()
@pytest.mark.parametrize("kind", ["deconv", "resize", "pixelshuffle"])
def test_upsampling_keeps_things_in_place(kind: Upsampling) -> None:
    """What one pixel touches is centred on it; a half-pixel shift would add up over five doublings."""
    up = Upsample(kind, 1, 1)
    torch.nn.init.constant_(up.conv.weight, 1.0)
    torch.nn.init.zeros_(up.conv.bias)
    x = torch.zeros(1, 1, 7, 7)
    x[0, 0, 3, 2] = 1
    heat = up(x)[0, 0]
    centre = torch.arange(14) + 0.5
    assert float((heat.sum(0) * centre).sum() / heat.sum()) == pytest.approx(2 * 2.5, abs=1e-4)
    assert float((heat.sum(1) * centre).sum() / heat.sum()) == pytest.approx(2 * 3.5, abs=1e-4)


def test_channel_norm_gives_each_pixel_the_length_one() -> None:
    x = torch.randn(2, 8, 3, 3) * 5
    out = ChannelNorm()(x)
    torch.testing.assert_close(out.square().mean(1), torch.ones(2, 3, 3), rtol=1e-4, atol=0)
    changed = x.clone()
    changed[0, :, 0, 0] = 7
    differs = (ChannelNorm()(changed) != out).any(1)
    assert differs.nonzero().tolist() == [[0, 0, 0]]


def test_channel_norm_of_nothing_is_nothing() -> None:
    x = torch.zeros(1, 4, 2, 2, requires_grad=True)
    out = ChannelNorm()(x)
    out.sum().backward()
    assert not out.detach().any()
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())
