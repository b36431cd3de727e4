"""Temporal modules: they start as the identity, look only back, and a clip made in pieces is the clip made at once."""

import math

import pytest
import torch
from torch import Tensor, nn

from temporal_gan.models.temporal import CausalAttention, ConvGRU, Temporal, make_temporal

KINDS = ("conv", "gru", "attention")


def awake(kind: Temporal) -> nn.Module:
    """With random weights where training starts at 0."""
    module = make_temporal(kind, 6)
    assert module is not None
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0, 0.3)
    return module.requires_grad_(False)


def clip(seed: int = 0) -> Tensor:
    return torch.randn(2, 7, 6, 4, 4, generator=torch.Generator().manual_seed(seed))


def test_none_is_no_module() -> None:
    assert make_temporal("none", 6) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_module_is_the_identity(kind: Temporal) -> None:
    module = make_temporal(kind, 6)
    assert module is not None
    out, _ = module(clip(), None)
    assert torch.equal(out, clip())


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_module_can_learn(kind: Temporal) -> None:
    """Its last layer is 0 but has a gradient; the next step then reaches the rest."""
    module = make_temporal(kind, 6)
    assert module is not None
    out, _ = module(clip(), None)
    (out - 1).square().mean().backward()
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    assert any(bool(g.any()) for g in gradients)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_know_the_past_and_not_the_future(kind: Temporal) -> None:
    module, x = awake(kind), clip()
    whole, _ = module(x, None)
    for t in range(7):
        changed = x.clone()
        changed[:, t] += 1
        differs = (module(changed, None)[0] != whole).flatten(2).any(2).all(0)
        assert not differs[:t].any()
        assert differs[t]
        assert t == 6 or differs[t + 1]


def test_the_gru_follows_its_paper() -> None:
    """Ballas et al. 2016, eq. 6-9, by hand: one channel, one pixel, so only the kernels' middles count."""
    module = ConvGRU(1)
    update_x, update_h, reset_x, reset_h, new_x, new_h, bias = 0.5, -0.7, 1.5, 0.8, 0.9, -1.3, 0.2
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.gates.weight[:, :, 1, 1] = torch.tensor([[update_x, update_h], [reset_x, reset_h]])
        module.candidate.weight[:, :, 1, 1] = torch.tensor([[new_x, new_h]])
        module.candidate.bias.fill_(bias)
        module.out.weight.fill_(1.0)
        made, state = module(torch.tensor([0.4, -1.1, 0.7]).view(1, 3, 1, 1, 1), None)

    hidden, expected = 0.0, []
    for x in (0.4, -1.1, 0.7):
        update = 1 / (1 + math.exp(-(update_x * x + update_h * hidden)))
        reset = 1 / (1 + math.exp(-(reset_x * x + reset_h * hidden)))
        proposal = math.tanh(new_x * x + new_h * reset * hidden + bias)
        hidden = (1 - update) * hidden + update * proposal
        expected.append(x + hidden)
    assert made.flatten().tolist() == pytest.approx(expected, abs=1e-6)  # float32
    assert state.item() == pytest.approx(hidden, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", [(7,), (1,) * 7, (3, 4), (1, 5, 1)])
def test_pieces_join_to_the_whole(kind: Temporal, pieces: tuple[int, ...]) -> None:
    module, x = awake(kind), clip()
    state, parts = None, []
    for part in x.split(pieces, dim=1):
        out, state = module(part, state)
        parts.append(out)
    # Other sizes may choose other kernels, whose sums round differently.
    torch.testing.assert_close(torch.cat(parts, dim=1), module(x, None)[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_keeps_its_size_and_clips_do_not_mix(kind: Temporal) -> None:
    module, x = awake(kind), clip()
    out, first = module(x[:, :1], None)
    _, later = module(x[:, 1:], first)
    if kind != "attention":  # it starts with nothing to look at
        assert first.shape == later.shape
    changed = x.clone()
    changed[1] += 1
    torch.testing.assert_close(module(changed[:, :1], None)[0][0], out[0], rtol=0, atol=1e-6)


def test_attention_without_a_question_is_the_mean_of_what_it_sees() -> None:
    """Equal scores for all of the last eight frames; with values and output the identity, their mean is added."""
    module = CausalAttention(4)
    x = torch.randn(1, 12, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.ask.weight[8:, :, 0, 0] = torch.eye(4)
        module.out.weight[:, :, 0, 0] = torch.eye(4)
        made, _ = module(x, None)
    normed = x / x.square().mean(2, keepdim=True).sqrt()
    for t in range(12):
        expected = x[:, t] + normed[:, max(0, t - 7) : t + 1].mean(1)
        torch.testing.assert_close(made[:, t], expected, rtol=0, atol=1e-4)


def test_attention_prefers_what_answers_its_question() -> None:
    """Two frames, one pixel, two heads of one channel: softmax(q k + distance), by hand."""
    module = CausalAttention(2)
    x = torch.tensor([[1.0, 3.0], [2.0, -1.0]]).view(1, 2, 2, 1, 1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.ask.weight[:, :, 0, 0] = torch.eye(2).repeat(3, 1)
        module.out.weight[:, :, 0, 0] = torch.eye(2)
        module.distance[:, 1] = torch.tensor([0.5, -0.25])
        made, _ = module(x, None)
    normed = (x / x.square().mean(2, keepdim=True).sqrt())[0, :, :, 0, 0]
    for head, bias in enumerate((0.5, -0.25)):
        before, now = normed[:, head].tolist()
        scores = [math.exp(now * before + bias), math.exp(now * now)]
        found = (scores[0] * before + scores[1] * now) / sum(scores)
        assert float(made[0, 1, head]) == pytest.approx(float(x[0, 1, head]) + found, abs=1e-5)


def test_attention_sees_eight_frames_and_its_state_stays_bounded() -> None:
    module = awake("attention")
    x = torch.randn(1, 12, 6, 2, 2, generator=torch.Generator().manual_seed(1))
    changed = x.clone()
    changed[:, 0] += 1
    whole, state = module(x, None)
    differs = (module(changed, None)[0] != whole).flatten(2).any(2)[0].tolist()
    assert differs == [True] * 8 + [False] * 4
    assert state.shape == (1, 7, 12, 2, 2)
    assert module(x, state)[1].shape == state.shape
