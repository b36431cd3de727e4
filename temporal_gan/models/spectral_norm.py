"""Spectral normalisation of critics."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import register_parametrization

from .frame_discriminator import PatchCritic

_FIRST_ITERATIONS = 15
"""Steps of power iteration before the first use, as many as torch's own parametrisation takes."""


def normalise_spectra(critics: nn.Module) -> None:
    """Divide every weight by its largest singular value, so that no layer stretches what it is shown
    (Miyato et al. 2018, arXiv 1802.05957, eq. 8; projections too, as in Miyato & Koyama 2018, arXiv 1802.05637).

    A head that reads the expression is no part of the verdict and is left as it is.

    Args:
        critics: whatever holds patch critics; changed in place, with vectors drawn from torch's generator.
    """
    for critic in [m for m in critics.modules() if isinstance(m, PatchCritic)]:
        for layer in list(critic.modules()):
            if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
                register_parametrization(layer, "weight", SpectralNorm(layer.weight.detach()))


class SpectralNorm(nn.Module):
    """A weight -> the same divided by its largest singular value, ``sigma = u' W v``.

    One step of power iteration at each forward pass in training mode, none in evaluation mode (algorithm 1); u and v
    are buffers. Matrix products are written as sums, which autocast leaves in float32; torch's own parametrisation
    takes them in bfloat16 on CUDA.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        matrix = weight.flatten(1)
        self.register_buffer("u", normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("v", normalize(torch.randn(matrix.shape[1]), dim=0))
        for _ in range(_FIRST_ITERATIONS):
            self._iterate(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """Any shape [out, ...] -> the same."""
        matrix = weight.flatten(1)
        if self.training:
            self._iterate(matrix)
        # Copies: the next forward pass overwrites the buffers, and this one's backward pass still needs them.
        sigma = (self.u.clone()[:, None] * matrix * self.v.clone()).sum()
        return weight / sigma

    @torch.no_grad()
    def _iterate(self, matrix: Tensor) -> None:
        self.v.copy_(normalize((matrix * self.u[:, None]).sum(0), dim=0))
        self.u.copy_(normalize((matrix * self.v).sum(1), dim=0))
