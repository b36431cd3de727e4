"""The plain DCGAN at 64x64 (Radford et al. 2016, arXiv 1511.06434): the baseline every table shows."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ..config import Section


class DCGANConfig(Section):
    """The textbook network; only its noise and widths are free, and whether it knows classes."""

    kind: Literal["dcgan"] = "dcgan"
    size: Literal[64] = 64
    nz: int = Field(default=100, ge=1, description="size of the noise vector")
    ngf: int = Field(default=64, ge=1, description="channels of the generator's last hidden layer")
    ndf: int = Field(default=64, ge=1, description="channels of the discriminator's first layer")
    conditional: bool = Field(
        default=False, description="one class a sub-folder of pictures, or a character of the store"
    )


class DCGANGenerator(nn.Module):
    """Noise [N, nz] -> pictures [N, 3, 64, 64] in [-1, 1].

    With classes, a learned vector of the class is multiplied into the noise (Odena et al. 2017's conditioning in its
    common embedding form); without, the layers are the textbook's and nothing else.
    """

    def __init__(self, config: DCGANConfig, classes: int) -> None:
        super().__init__()
        nz, ngf = config.nz, config.ngf
        self.embed = nn.Embedding(classes, nz) if config.conditional else None
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 8), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 8, ngf * 4, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * 4), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf), nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip
        self.apply(_initialise)

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """``label`` int64 [N] is not looked at by an unconditional network."""
        if self.embed is not None:
            noise = noise * self.embed(label)
        return self.main(noise[:, :, None, None])


class DCGANDiscriminator(nn.Module):
    """Pictures [N, 3, 64, 64] -> logits [N]. With classes, a map of the class joins the picture as a fourth channel."""

    def __init__(self, config: DCGANConfig, classes: int) -> None:
        super().__init__()
        ndf = config.ndf
        self.embed = nn.Embedding(classes, 64 * 64) if config.conditional else None
        self.main = nn.Sequential(
            nn.Conv2d(4 if config.conditional else 3, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 4), nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf * 4, ndf * 8, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 8), nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf * 8, 1, 4, 1, 0, bias=False),
        )  # fmt: skip
        self.apply(_initialise)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """``label`` int64 [N] is not looked at by an unconditional network."""
        if self.embed is not None:
            image = torch.cat([image, self.embed(label).view(-1, 1, 64, 64)], dim=1)
        return self.main(image).flatten()


def _initialise(module: nn.Module) -> None:
    # Section 4 of the paper: all weights from N(0, 0.02); batch-norm scales around 1.
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
