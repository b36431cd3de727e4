"""What comes last in a frame: a network smaller than its pictures, and the convolutions that finish them."""

import pytest
import torch
from tiny_networks import random_batch, tiny_domain, tiny_generator, told

from temporal_gan.config import parse_config
from temporal_gan.errors import UserError
from temporal_gan.models.compositing import Finish, blend, enlarged
from temporal_gan.models.generator import GeneratorConfig

FEATURES, CHANNELS, WIDTH = 3, 4, 5


def finish(awake: bool = True) -> Finish:
    torch.manual_seed(0)
    made = Finish(FEATURES, CHANNELS, WIDTH).requires_grad_(False)
    if awake:
        torch.nn.init.normal_(made.out.weight, 0, 0.3)
    return made


def test_a_new_finish_changes_nothing_and_learns_from_the_first_step() -> None:
    features, made = torch.randn(2, FEATURES, 8, 8), torch.randn(2, CHANNELS, 16, 16)
    new = finish(awake=False).requires_grad_(True)
    assert torch.equal(new(features, made), made)
    (new(features, made) - 1).square().mean().backward()
    assert new.out.weight.grad is not None
    assert bool(new.out.weight.grad.flatten(1).any(1).all())
    assert float((finish()(features, made) - made).abs().max()) > 0.1


def test_what_a_finish_adds_is_the_last_convolution_of_what_both_show() -> None:
    """Worked out tap by tap at one pixel away from the border."""
    net, features, made = finish(), torch.randn(1, FEATURES, 16, 16), torch.randn(1, CHANNELS, 16, 16)

    def hidden(y: int, x: int) -> torch.Tensor:
        total = net.mix.bias.clone()  # type: ignore[union-attr]
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                guide = net.shrink.weight[:, :, 0, 0] @ features[0, :, y + dy, x + dx] + net.shrink.bias
                seen = torch.cat([guide, made[0, :, y + dy, x + dx]])
                total = total + net.mix.weight[:, :, dy + 1, dx + 1] @ seen
        return torch.where(total > 0, total, 0.2 * total)

    wanted = made[0, :, 7, 9] + net.out.bias
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            wanted = wanted + net.out.weight[:, :, dy + 1, dx + 1] @ hidden(7 + dy, 9 + dx)
    torch.testing.assert_close(net(features, made)[0, :, 7, 9], wanted, rtol=1e-4, atol=1e-5)


def test_a_finish_works_at_the_frames_own_size_whatever_the_features() -> None:
    """A pixel reaches two pixels far; a feature of a network of a quarter of the size some of them."""
    net, features, made = finish(), torch.randn(1, FEATURES, 8, 8), torch.randn(1, CHANNELS, 32, 32)
    base = net(features, made)
    other = made.clone()
    other[..., 20, 11] += 1
    changed = (net(features, other) != base).any(1)[0]
    rows, columns = changed.nonzero().T
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (18, 22, 9, 13)
    told_otherwise = features.clone()
    told_otherwise[..., 4, 4] += 1
    rows, columns = (net(told_otherwise, made) != base).any(1)[0].nonzero().T
    # Bilinear: from pixel 14 to 21, and two more on either side.
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (12, 23, 12, 23)


def test_enlarging_keeps_what_has_the_size_and_is_straight_between() -> None:
    maps = torch.randn(1, 2, 8, 8)
    assert enlarged(maps, 8) is maps
    ramp = ((torch.arange(8) + 0.5) / 8).expand(1, 1, 8, 8)
    torch.testing.assert_close(
        enlarged(ramp, 32)[..., 2:-2], ((torch.arange(32) + 0.5) / 32).expand(1, 1, 32, 32)[..., 2:-2]
    )


# A network smaller than its pictures


@torch.no_grad()
@pytest.mark.parametrize(("size", "network_size"), [(64, 32), (128, 32), (64, None)])
@pytest.mark.parametrize("finish_width", [0, 4])
def test_a_new_network_of_any_size_is_the_blend_at_full_size(
    size: int, network_size: int | None, finish_width: int
) -> None:
    """By pose alone, to the last bit: nothing goes through the smaller network's pixels."""
    changes = {"network_size": network_size, "finish_width": finish_width, "references": 2}
    generator = tiny_generator(awake=False, size=size, **changes)
    condition = told(generator, random_batch(generator.domain, 2, 2, size=size, references=2))
    assert condition.warped is not None
    assert condition.preference is not None
    assert condition.warped.shape[-1] == size
    assert max(condition.maps) == (network_size or size)
    made, _ = generator(condition, torch.randn(2, 4))
    share = condition.preference.softmax(2)[..., None, None, None]
    torch.testing.assert_close(made, (share * condition.warped).sum(2), rtol=0, atol=1e-5)
    nothing = torch.zeros(2, 2, 2, size, size)
    assert torch.equal(made, blend(condition.warped, nothing, condition.preference))


@torch.no_grad()
def test_a_smaller_network_has_the_weights_and_the_hand_of_its_own_size() -> None:
    """It paints what the network of that size paints, enlarged."""
    domain = tiny_domain()
    small = tiny_generator(domain, size=64, network_size=32, references=0)
    own = tiny_generator(domain, size=32, references=0)
    small.load_state_dict(own.state_dict())
    batch, noise = random_batch(domain, 1, 2), torch.randn(1, 4)
    made = small(told(small, batch), noise)[0]
    wanted = enlarged(own(told(own, batch), noise)[0][0], 64)
    assert made.shape == (1, 2, 3, 64, 64)
    torch.testing.assert_close(made[0], wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("finish_width", [0, 4])
def test_a_smaller_network_teaches_every_weight(finish_width: int) -> None:
    changes = {"size": 64, "network_size": 32, "finish_width": finish_width, "face_width": 4, "face_side": 16}
    generator = tiny_generator(references=2, **changes).requires_grad_(True)
    condition = told(generator, random_batch(generator.domain, 2, 3, size=64, references=2))
    generator(condition, torch.randn(2, 4))[0].square().mean().backward()
    assert [n for n, p in generator.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_forgetting_empties_what_comes_last_and_keeps_the_rest() -> None:
    changes = {"finish_width": 4, "face_width": 4, "flow_head": True, "references": 2}
    generator = tiny_generator(**changes)
    for parameter in generator.parameters():
        parameter.add_(0.1)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    generator.forget()
    changed = {name for name, value in generator.state_dict().items() if not torch.equal(value, before[name])}
    lasts = ("to_frame", "finish.out", "face.out")
    assert changed == {f"{last}.{kind}" for last in lasts for kind in ("weight", "bias")}
    zero = [name for name in changed if not generator.state_dict()[name].any()]
    # The flow head's mask begins with the frame itself.
    assert set(zero) == changed - {"to_frame.bias"}
    assert generator.to_frame.bias.tolist() == [0] * 7 + [4.0]  # type: ignore[union-attr]


def test_a_network_larger_than_its_pictures_is_refused() -> None:
    with pytest.raises(UserError, match="network_size 64 is above size 32"):
        parse_config({"size": 32, "network_size": 64}, GeneratorConfig, "test")
    assert GeneratorConfig(size=32, network_size=32).inner_size == 32
    with pytest.raises(UserError, match="temporal_level 4: 32 pixels halved so often"):
        parse_config({"size": 128, "network_size": 32, "temporal_level": 4}, GeneratorConfig, "test")
