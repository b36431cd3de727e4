"""Layers that several networks share."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Upsampling = Literal["deconv", "resize", "pixelshuffle"]


class ChannelNorm(nn.Module):
    """Divide each pixel's feature vector by its root mean square (Karras et al. 2018, arXiv 1710.10196, eq. 2).

    Looks at one pixel of one frame: no clip or frame can leak into another, so streaming and whole-clip agree.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape."""
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)


class Upsample(nn.Module):
    """Twice the resolution, [N, Cin, H, W] -> [N, Cout, 2H, 2W], in one of three ways.

    deconv: 4x4 transposed convolution, as in DCGAN; can leave a checkerboard.
    resize: nearest neighbour, then a 3x3 convolution (Odena et al. 2016, distill.pub/2016/deconv-checkerboard).
    pixelshuffle: 3x3 convolution to 4 Cout, rearranged (Shi et al. 2016, arXiv 1609.05158), started without
        checkerboard (Aitken et al. 2017, arXiv 1707.02937).
    """

    def __init__(self, kind: Upsampling, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "deconv":
            self.conv: nn.Module = nn.ConvTranspose2d(channels_in, channels_out, 4, 2, 1)
        elif kind == "resize":
            self.conv = nn.Conv2d(channels_in, channels_out, 3, 1, 1)
        else:
            conv = nn.Conv2d(channels_in, 4 * channels_out, 3, 1, 1)
            with torch.no_grad():
                conv.weight.copy_(conv.weight[::4].repeat_interleave(4, dim=0))
                if conv.bias is not None:
                    conv.bias.copy_(conv.bias[::4].repeat_interleave(4))
            self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "resize":
            return self.conv(functional.interpolate(x, scale_factor=2, mode="nearest"))
        if self.kind == "pixelshuffle":
            return functional.pixel_shuffle(self.conv(x), 2)
        return self.conv(x)
