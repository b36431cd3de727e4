"""Networks that losses ask, small or random."""

from pathlib import Path

import pytest
import torch
from torch import nn

from temporal_gan.models.reader import Reader, ReaderConfig
from temporal_gan.models.reader_file import save_reader


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained, but sure that it sees something."""
    torch.manual_seed(0)
    tiny = Reader(ReaderConfig(width=8, features=8, identity=8))
    nn.init.constant_(tiny.seen.bias, 3.0)
    nn.init.normal_(tiny.heat.weight, 0, 3.0)
    path = tmp_path_factory.mktemp("readers") / "tiny.safetensors"
    save_reader(path, tiny, {})
    return path


@pytest.fixture(scope="session")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the published names, of the layers that are used."""
    draw = torch.Generator().manual_seed(0)
    layers, channels, place = {}, 3, 0
    for block in ([64] * 2, [128] * 2, [256] * 4, [512] * 4, [512]):
        for width in block:
            weight = torch.randn(width, channels, 3, 3, generator=draw) * (2 / (9 * channels)) ** 0.5
            layers |= {f"features.{place}.weight": weight, f"features.{place}.bias": torch.zeros(width)}
            channels, place = width, place + 2
        place += 1
    path = tmp_path_factory.mktemp("weights") / "vgg19.pth"
    torch.save(layers, path)
    return path
