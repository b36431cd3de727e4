"""Who a character is, read from reference pictures: a code for characters that no embedding was learned for."""

import torch
from torch import Tensor, nn

_SIDE = 32
"""Pixels a picture is looked at with: colours, hair and clothes show, lines do not."""


class IdentityEncoder(nn.Module):
    """Mean over a character's reference pictures of what each one says (Zakharov et al. 2019, arXiv 1905.08233,
    sec. 3.2), so that neither their order nor how many there are matters.

    Args:
        channels: of a picture.
        width: features after the first of three halvings; each next one has twice as many.
        code: size of the result.
    """

    def __init__(self, channels: int, width: int, code: int) -> None:
        super().__init__()
        sizes = [channels, width, 2 * width, 4 * width]
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(sizes, sizes[1:], strict=False))
        self.code = nn.Linear(sizes[-1], code)

    def forward(self, pictures: Tensor, there: Tensor) -> Tensor:
        """Codes of B characters.

        Args:
            pictures: [B, R, C, S, S] in [-1, 1], S at least 32.
            there: bool [B, R]; False where a picture only fills the place of a missing one.
        Returns:
            [B, code]; 0 for a character without any picture.
        """
        x = nn.functional.adaptive_avg_pool2d(pictures.flatten(0, 1), _SIDE)
        for conv in self.down:
            x = nn.functional.leaky_relu(conv(x), 0.2)
        codes = self.code(x.mean(dim=(2, 3))).unflatten(0, pictures.shape[:2])
        return torch.where(there[..., None], codes, 0.0).sum(1) / there.sum(1, keepdim=True).clamp_min(1)
