"""The DCGAN is the textbook's, layer for layer: every table is measured against it."""

import pytest
import torch
from torch import nn

from temporal_gan.models.dcgan import DCGANConfig, DCGANDiscriminator, DCGANGenerator

SMALL = DCGANConfig(nz=8, ngf=4, ndf=4)
SMALL_CLASSES = DCGANConfig(nz=8, ngf=4, ndf=4, conditional=True)


def layers(network: nn.Sequential) -> list[tuple[str, tuple[int, ...]]]:
    """(type, weight shape) of every layer."""
    shapes = [tuple(m.weight.shape) if hasattr(m, "weight") else () for m in network]
    return list(zip([type(m).__name__ for m in network], shapes, strict=True))


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_generator_has_exactly_the_textbooks_layers() -> None:
    assert layers(DCGANGenerator(DCGANConfig(), 1).main) == [
        ("ConvTranspose2d", (100, 512, 4, 4)),
        ("BatchNorm2d", (512,)),
        ("ReLU", ()),
        ("ConvTranspose2d", (512, 256, 4, 4)),
        ("BatchNorm2d", (256,)),
        ("ReLU", ()),
        ("ConvTranspose2d", (256, 128, 4, 4)),
        ("BatchNorm2d", (128,)),
        ("ReLU", ()),
        ("ConvTranspose2d", (128, 64, 4, 4)),
        ("BatchNorm2d", (64,)),
        ("ReLU", ()),
        ("ConvTranspose2d", (64, 3, 4, 4)),
        ("Tanh", ()),
    ]


def test_the_discriminator_has_exactly_the_textbooks_layers() -> None:
    assert layers(DCGANDiscriminator(DCGANConfig(), 1).main) == [
        ("Conv2d", (64, 3, 4, 4)),
        ("LeakyReLU", ()),
        ("Conv2d", (128, 64, 4, 4)),
        ("BatchNorm2d", (128,)),
        ("LeakyReLU", ()),
        ("Conv2d", (256, 128, 4, 4)),
        ("BatchNorm2d", (256,)),
        ("LeakyReLU", ()),
        ("Conv2d", (512, 256, 4, 4)),
        ("BatchNorm2d", (512,)),
        ("LeakyReLU", ()),
        ("Conv2d", (1, 512, 4, 4)),
    ]


def test_strides_paddings_slopes_and_biases_are_the_textbooks() -> None:
    networks = DCGANGenerator(DCGANConfig(), 1), DCGANDiscriminator(DCGANConfig(), 1)
    convolutions = [m for n in networks for m in n.main if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    plain, halving = ((1, 1), (0, 0)), ((2, 2), (1, 1))
    assert [(m.stride, m.padding) for m in convolutions] == [plain, *[halving] * 4, *[halving] * 4, plain]
    assert all(m.bias is None for m in convolutions)
    slopes = [m.negative_slope for m in networks[1].main if isinstance(m, nn.LeakyReLU)]
    assert slopes == [0.2] * 4


def test_parameter_counts_are_the_tutorials() -> None:
    assert parameters(DCGANGenerator(DCGANConfig(), 1)) == 3_576_704
    assert parameters(DCGANDiscriminator(DCGANConfig(), 1)) == 2_765_568


def test_weights_start_at_the_papers_distribution() -> None:
    for network in (DCGANGenerator(DCGANConfig(), 1), DCGANDiscriminator(DCGANConfig(), 1)):
        for module in network.main:
            if not hasattr(module, "weight"):
                continue
            centre = 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0
            count = module.weight.numel()
            # Five standard errors of a mean and of a standard deviation over so many draws.
            assert float(module.weight.detach().mean()) == pytest.approx(centre, abs=5 * 0.02 / count**0.5)
            assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=5 / (2 * count) ** 0.5)
            if isinstance(module, nn.BatchNorm2d):
                assert not module.bias.any()


def test_pictures_are_64_pixels_within_range_and_logits_one_a_picture() -> None:
    label = torch.zeros(3, dtype=torch.int64)
    pictures = DCGANGenerator(SMALL, 1)(torch.randn(3, 8), label)
    assert pictures.shape == (3, 3, 64, 64)
    assert float(pictures.detach().abs().max()) <= 1
    assert DCGANDiscriminator(SMALL, 1)(pictures, label).shape == (3,)


@torch.no_grad()
def test_only_the_conditional_variant_looks_at_its_label() -> None:
    noise, zero, one = torch.randn(4, 8), torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    for config, differs in ((SMALL, False), (SMALL_CLASSES, True)):
        generator, critic = DCGANGenerator(config, 2).eval(), DCGANDiscriminator(config, 2).eval()
        picture = generator(noise, zero)
        assert bool((generator(noise, one) != picture).any()) == differs
        assert bool((critic(picture, one) != critic(picture, zero)).any()) == differs


def test_the_unconditional_variant_holds_nothing_but_the_textbook() -> None:
    assert all(name.startswith("main.") for name in DCGANGenerator(SMALL, 5).state_dict())
    assert all(name.startswith("main.") for name in DCGANDiscriminator(SMALL, 5).state_dict())


@torch.no_grad()
def test_pictures_do_not_mix_in_eval_mode() -> None:
    generator, noise = DCGANGenerator(SMALL, 1).eval(), torch.randn(3, 8)
    label = torch.zeros(3, dtype=torch.int64)
    # Other matrix kernels may be chosen for another batch size.
    torch.testing.assert_close(
        generator(noise, label)[:1], generator(noise[:1], label[:1]), rtol=0, atol=1e-6
    )
