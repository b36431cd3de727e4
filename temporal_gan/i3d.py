"""Inflated 3D Inception-v1 (I3D), the network of FVD: Carreira & Zisserman 2017, "Quo Vadis, Action Recognition?".

The parameter names are those of the widespread PyTorch conversion of the Kinetics-400 RGB weights, so that its
state dict loads unchanged. Evaluation only: the published dropout and the training mode of batch norm are absent.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 400
SIDE = 224
"""Pixels: the pooling window of the last layer fits no other size."""

FEWEST_FRAMES = 10
"""Below 9 the last pooling window has no frames; 10 is what the published evaluations ask for."""

# Branch widths of every Inception block: 1x1, (1x1, 3x3), (1x1, 3x3), after pooling (Szegedy et al. 2015, tab. 1).
_BLOCKS = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}


class I3D(nn.Module):
    """Video to the 400 Kinetics logits that FVD compares."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = ConvUnit(3, 64, kernel=7, stride=2)
        self.Conv3d_2b_1x1 = ConvUnit(64, 64, kernel=1)
        self.Conv3d_2c_3x3 = ConvUnit(64, 192, kernel=3)
        for name, (width, branches) in _BLOCKS.items():
            self.add_module(name, InceptionBlock(width, branches))
        self.logits = nn.ModuleDict({"conv3d": nn.Conv3d(1024, CLASSES, kernel_size=1)})

    def forward(self, video: Tensor) -> Tensor:
        """Class logits, averaged over time.

        Args:
            video: [B, 3, T, 224, 224], [-1, 1], T >= 9.
        Returns:
            [B, 400].
        """
        pooled = functional.avg_pool3d(self.trunk(video), kernel_size=(2, 7, 7), stride=1)
        return self.logits["conv3d"](pooled).mean(dim=(2, 3, 4))

    def trunk(self, video: Tensor) -> Tensor:
        """Everything before the last pooling: [B, 3, T, H, W] -> [B, 1024, T/8, H/32, W/32], rounded up."""
        x = pool_same(self.Conv3d_1a_7x7(video), kernel=(1, 3, 3), stride=(1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        x = pool_same(x, kernel=(1, 3, 3), stride=(1, 2, 2))
        for name in _BLOCKS:
            if name == "Mixed_4b":
                x = pool_same(x, kernel=(3, 3, 3), stride=(2, 2, 2))
            elif name == "Mixed_5b":
                x = pool_same(x, kernel=(2, 2, 2), stride=(2, 2, 2))
            x = self.get_submodule(name)(x)
        return x


class InceptionBlock(nn.Module):
    """Four branches side by side, concatenated along the channels."""

    def __init__(self, width: int, branches: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        plain, squeeze_a, wide_a, squeeze_b, wide_b, pooled = branches
        self.b0 = ConvUnit(width, plain, kernel=1)
        self.b1a = ConvUnit(width, squeeze_a, kernel=1)
        self.b1b = ConvUnit(squeeze_a, wide_a, kernel=3)
        self.b2a = ConvUnit(width, squeeze_b, kernel=1)
        self.b2b = ConvUnit(squeeze_b, wide_b, kernel=3)
        self.b3b = ConvUnit(width, pooled, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = pool_same(x, kernel=(3, 3, 3), stride=(1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], dim=1)


class ConvUnit(nn.Module):
    """Convolution without bias, batch norm, ReLU; padded as TensorFlow's SAME."""

    def __init__(self, width_in: int, width_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(width_in, width_out, kernel, stride, bias=False)
        # 1e-3 as in the authors' TensorFlow code and most ports; cd-fvd's 1e-5 moves the logits by 0.2 %.
        self.bn = nn.BatchNorm3d(width_out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        x = pad_same(x, self.conv3d.kernel_size, self.conv3d.stride)
        return functional.relu(self.bn(self.conv3d(x)))


def pool_same(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """Max pooling, padded as SAME; the input is never negative (it follows a ReLU), so zeros never win."""
    return functional.max_pool3d(pad_same(x, kernel, stride), kernel, stride)


def pad_same(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """Zeros so that the output has ceil(size / stride) entries; an odd one goes to the far side."""
    padding: list[int] = []
    for size, k, s in zip(x.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        padding += [total // 2, total - total // 2]
    return functional.pad(x, padding)
