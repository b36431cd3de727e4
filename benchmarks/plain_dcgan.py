"""The plain DCGAN script that everybody starts from: the seed article's, at 64x64, as PyTorch's own tutorial has it.

Radford et al. 2016 (arXiv 1511.06434): five transposed convolutions against five convolutions, binary cross entropy on
logits, Adam 2e-4 with beta1 0.5, a DataLoader over a flat folder through torchvision's transforms, one loss printed
every 100 batches.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

NZ, NGF, NDF = 100, 64, 64


class FlatImageFolder(Dataset):
    """The pictures of a folder, resized, cropped, mirrored by chance, in [-1, 1]."""

    def __init__(self, root: Path) -> None:
        self.paths = list(root.glob("*.*"))
        self.transform = transforms.Compose(
            [
                transforms.Resize(64),
                transforms.CenterCrop(64),
                transforms.RandomHorizontalFlip(p=0.5),
                transforms.ToTensor(),
                transforms.Normalize([0.5] * 3, [0.5] * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        return self.transform(Image.open(self.paths[index]).convert("RGB"))


def networks() -> tuple[nn.Sequential, nn.Sequential]:
    """Generator and discriminator, weights drawn as in the paper."""

    def up(a: int, b: int, stride: int = 2, padding: int = 1) -> list[nn.Module]:
        return [
            nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(inplace=True),
        ]

    def down(a: int, b: int) -> list[nn.Module]:
        return [
            nn.Conv2d(a, b, 4, 2, 1, bias=False),
            nn.BatchNorm2d(b),
            nn.LeakyReLU(0.2, inplace=True),
        ]

    generator = nn.Sequential(
        *up(NZ, NGF * 8, 1, 0), *up(NGF * 8, NGF * 4), *up(NGF * 4, NGF * 2), *up(NGF * 2, NGF),
        nn.ConvTranspose2d(NGF, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(3, NDF, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        *down(NDF, NDF * 2), *down(NDF * 2, NDF * 4), *down(NDF * 4, NDF * 8),
        nn.Conv2d(NDF * 8, 1, 4, 1, 0, bias=False),
    )  # fmt: skip
    for module in (*generator.modules(), *discriminator.modules()):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
    return generator, discriminator


def plain_steps(folder: Path, batch: int, device: torch.device) -> Iterator[None]:
    """The script's endless loop; each turn of the iterator is one batch."""
    torch.manual_seed(999)
    netG, netD = (network.to(device) for network in networks())
    optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    loader = DataLoader(FlatImageFolder(folder), batch_size=batch, shuffle=True, drop_last=True)
    count = 0
    while True:
        for images in loader:
            real = images.to(device)
            ones = torch.full((batch,), 1.0, device=device)
            zeros = torch.full((batch,), 0.0, device=device)

            netD.zero_grad()
            loss_real = criterion(netD(real).view(-1), ones)
            loss_real.backward()
            fake = netG(torch.randn(batch, NZ, 1, 1, device=device))
            loss_fake = criterion(netD(fake.detach()).view(-1), zeros)
            loss_fake.backward()
            optimizerD.step()

            netG.zero_grad()
            loss_made = criterion(netD(fake).view(-1), ones)
            loss_made.backward()
            optimizerG.step()
            if count % 100 == 0:
                print(f"[{count}] {(loss_real + loss_fake).item():.4f} {loss_made.item():.4f}")
            count += 1
            yield
