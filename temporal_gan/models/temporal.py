"""Temporal modules: causal, with a state, so that a clip made in pieces equals the clip made at once.

All map (x [B, T, C, H, W], state or None) to (y of the same shape, new state), and start as the identity, so that a
network begins as its own per-frame version.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import ChannelNorm

Temporal = Literal["none", "conv", "gru", "attention"]


def make_temporal(kind: Temporal, channels: int) -> "CausalConv | ConvGRU | CausalAttention | None":
    """The module of this kind; None for ``none``."""
    if kind == "conv":
        return CausalConv(channels)
    if kind == "gru":
        return ConvGRU(channels)
    if kind == "attention":
        return CausalAttention(channels)
    return None


class CausalConv(nn.Module):
    """Residual convolution over this frame and the two before it, twice."""

    KERNEL = 3

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(channels, channels, (self.KERNEL, 3, 3), padding=(0, 1, 1))
        self.second = nn.Conv3d(channels, channels, (self.KERNEL, 3, 3), padding=(0, 1, 1))
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """The state [B, 2, 2C, H, W] holds the last two inputs of either convolution; before a clip they are 0."""
        x_BCTHW = x.transpose(1, 2)
        b, c, _, h, w = x_BCTHW.shape
        past = x.new_zeros(b, 2 * c, self.KERNEL - 1, h, w) if state is None else state.transpose(1, 2)
        before_first = torch.cat([past[:, :c], x_BCTHW], dim=2)
        hidden = torch.relu(self.first(before_first))
        before_second = torch.cat([past[:, c:], hidden], dim=2)
        out = x_BCTHW + self.second(before_second)
        last = 1 - self.KERNEL
        new_state = torch.cat([before_first[:, :, last:], before_second[:, :, last:]], dim=1).transpose(1, 2)
        return out.transpose(1, 2), new_state


class ConvGRU(nn.Module):
    """Convolutional gated recurrent unit (Ballas et al. 2016, arXiv 1511.06432, eq. 6-9), added to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 2 * channels, 3, 1, 1)
        self.candidate = nn.Conv2d(2 * channels, channels, 3, 1, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """The state [B, C, H, W] is the hidden map; before a clip it is 0."""
        hidden = torch.zeros_like(x[:, 0]) if state is None else state
        outputs = []
        for frame in x.unbind(1):
            update, reset = torch.sigmoid(self.gates(torch.cat([frame, hidden], 1))).chunk(2, dim=1)
            proposal = torch.tanh(self.candidate(torch.cat([frame, reset * hidden], 1)))
            hidden = (1 - update) * hidden + update * proposal
            outputs.append(frame + self.out(hidden))
        return torch.stack(outputs, dim=1), hidden


class CausalAttention(nn.Module):
    """Each pixel looks back at itself: scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762, eq. 1) over
    this frame and the ``WINDOW - 1`` before it, with a learned bias per distance in time (Raffel et al. 2020, arXiv
    1910.10683, sec. 2.1), added to its input; per pixel as in the motion module of AnimateDiff (Guo et al. 2023,
    arXiv 2307.04725, sec. 4.2)."""

    WINDOW = 8
    HEADS = 2

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm()
        self.ask = nn.Conv2d(channels, 3 * channels, 1)
        self.distance = nn.Parameter(torch.zeros(self.HEADS, self.WINDOW))
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """The state [B, up to WINDOW - 1, 2C, H, W] holds keys and values of the last frames there have been."""
        b, t, c, h, w = x.shape
        asked = self.ask(self.norm(x.flatten(0, 1))).view(b, t, 3 * c, h, w)
        query, new = asked[:, :, :c], asked[:, :, c:]
        past = new[:, :0] if state is None else state
        known = torch.cat([past, new], dim=1)
        before = past.shape[1]
        ago = torch.arange(t, device=x.device)[:, None] + before - torch.arange(before + t, device=x.device)
        seen = (ago >= 0) & (ago < self.WINDOW)
        bias = self.distance[:, ago.clamp(0, self.WINDOW - 1)].masked_fill(~seen, float("-inf"))
        key, value = known.split(c, dim=2)
        found = functional.scaled_dot_product_attention(
            self._per_pixel(query),
            self._per_pixel(key),
            self._per_pixel(value),
            attn_mask=bias.to(query.dtype),
        )
        frames = found.unflatten(0, (b, h, w)).permute(0, 4, 3, 5, 1, 2).reshape(b * t, c, h, w)
        return x + self.out(frames).view_as(x), known[:, 1 - self.WINDOW :]

    def _per_pixel(self, maps: Tensor) -> Tensor:
        """[B, T, C, H, W] -> [B H W, heads, T, C / heads]."""
        return maps.permute(0, 3, 4, 1, 2).flatten(0, 2).unflatten(2, (self.HEADS, -1)).transpose(1, 2)
