"""Spectral normalisation: by the singular values themselves, in the modes and precisions a run uses."""

import torch
from tiny_networks import random_batch, tiny_domain, tiny_generator, told
from torch import Tensor, nn

from temporal_gan.losses.penalties import r1
from temporal_gan.models.conditioning import Condition, map_channels
from temporal_gan.models.frame_discriminator import FrameCriticConfig, FrameDiscriminator, PatchCritic
from temporal_gan.models.spectral_norm import SpectralNorm, normalise_spectra

DOMAIN = tiny_domain()


def critic(normalised: bool = True) -> FrameDiscriminator:
    torch.manual_seed(0)
    config = FrameCriticConfig(width=8, layers=2, scales=2, expression_weight=1.0)
    made = FrameDiscriminator(config, DOMAIN, map_channels(DOMAIN, 3))
    if normalised:
        normalise_spectra(made)
    return made


def shown() -> tuple[Tensor, Condition]:
    batch = random_batch(DOMAIN, 2, 2)
    return batch.video, told(tiny_generator(DOMAIN), batch)


def largest(critic: nn.Module) -> dict[str, float]:
    return {
        name: float(torch.linalg.svdvals(layer.weight.detach().flatten(1))[0])
        for name, layer in critic.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding)
    }


def spread_weights(critic: nn.Module) -> None:
    """Weights far from those that the vectors were found for."""
    for name, parameter in critic.named_parameters():
        if name.endswith("original"):
            parameter.data.copy_(
                3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name)))
            )


def test_every_weight_of_the_patch_critics_has_a_largest_singular_value_of_one() -> None:
    made = critic()
    spread_weights(made)
    video, condition = shown()
    for _ in range(150):
        made(video, condition)
    values = largest(made.eval())
    head = values.pop("expression")
    assert len(values) == 2 * (2 + 2 + 2)  # two scales: down, down, mix, score, by_face, by_character
    for name, value in values.items():
        assert abs(value - 1) < 0.02, name
    assert head == largest(critic(False))["expression"]


def test_a_fresh_one_begins_near_one() -> None:
    values = largest(critic().eval())
    values.pop("expression")
    assert all(0.98 < value < 1.2 for value in values.values())


def test_the_vectors_move_in_training_mode_alone() -> None:
    made, (video, condition) = critic(), shown()
    spread_weights(made)
    before = [b.clone() for b in made.buffers()]
    assert len(before) == 2 * 12
    made.eval()(video, condition)
    assert all(torch.equal(a, b) for a, b in zip(before, made.buffers(), strict=True))
    made.train()(video, condition)
    # But for the score's, whose only direction is 1 or -1.
    moved = [len(a) > 1 for a in before]
    assert moved.count(False) == 2
    assert [not torch.equal(a, b) for a, b in zip(before, made.buffers(), strict=True)] == moved


def test_a_step_of_power_iteration_is_algorithm_1() -> None:
    torch.manual_seed(0)
    weight = torch.randn(5, 3, 2, 2)
    norm, matrix = SpectralNorm(torch.randn(5, 3, 2, 2)), weight.view(5, 12)
    v = matrix.T @ norm.u
    v = v / v.norm()
    u = matrix @ v
    u = u / u.norm()
    torch.testing.assert_close(norm(weight), weight / (u @ matrix @ v))
    torch.testing.assert_close(norm.u, u)
    torch.testing.assert_close(norm.v, v)


def test_a_state_dict_carries_the_vectors() -> None:
    one, two, (video, condition) = critic(), critic(), shown()
    spread_weights(one)
    one(video, condition)
    two.load_state_dict(one.state_dict())
    for a, b in zip(one(video, condition)[0], two(video, condition)[0], strict=True):
        assert torch.equal(a, b)


def test_bfloat16_leaves_the_vectors_in_float32() -> None:
    made, (video, condition) = critic(), shown()
    with torch.autocast("cpu", torch.bfloat16):
        made(video, condition)
    exact = critic()
    exact(video, condition)
    for a, b in zip(made.buffers(), exact.buffers(), strict=True):
        assert a.dtype == torch.float32
        assert torch.equal(a, b)


def test_the_slope_of_r1_is_that_of_the_normalised_critic() -> None:
    """Against finite differences; two forward passes before, as in a step."""
    torch.manual_seed(0)
    made = nn.ModuleDict({"a": PatchCritic(3, 4, 2, 2, 2)})
    normalise_spectra(made)
    made.double()
    pictures, face, who = torch.randn(2, 3, 8, 8).double(), torch.randn(2, 2).double(), torch.tensor([0, 1])

    def penalty() -> Tensor:
        real = pictures.clone().requires_grad_()
        return r1(made["a"](real, face, who)[0], real).sum()

    made["a"](pictures, face, who)
    made["a"](pictures, face, who)
    made.eval()
    weight = made["a"].down[0].parametrizations.weight.original
    (slope,) = torch.autograd.grad(penalty(), weight)
    for place in [(0, 0, 1, 1), (3, 2, 3, 0), (1, 1, 2, 2)]:
        values = []
        for step in (1e-6, -1e-6):
            with torch.no_grad():
                weight[place] += step
            values.append(float(penalty().detach()))
            with torch.no_grad():
                weight[place] -= step
        assert abs((values[0] - values[1]) / 2e-6 - float(slope[place])) < 1e-5 * float(slope.abs().max())
