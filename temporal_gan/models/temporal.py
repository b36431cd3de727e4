"""Temporal modules: causal, with a state, so that a clip made in pieces equals the clip made at once.

All map (x [B, T, C, H, W], state or None) to (y of the same shape, new state), and start as the identity, so that a
network begins as its own per-frame version.
"""

from typing import Literal

import torch
from torch import Tensor, nn

Temporal = Literal["none", "conv", "gru"]


def make_temporal(kind: Temporal, channels: int) -> "CausalConv | ConvGRU | None":
    """The module of this kind; None for ``none``."""
    if kind == "conv":
        return CausalConv(channels)
    if kind == "gru":
        return ConvGRU(channels)
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
