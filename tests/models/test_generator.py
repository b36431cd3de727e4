"""The generator: told what to make, it makes that, one clip apart from another, and never looks ahead."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny_networks import (
    CHAIN14,
    EXPRESSIONS,
    random_batch,
    reference_frames,
    tiny_domain,
    tiny_generator,
    told,
)

from temporal_gan.batch import ClipBatch
from temporal_gan.data.clips import with_references
from temporal_gan.models.compositing import carry_on, moved
from temporal_gan.models.conditioning import Condition, Domain
from temporal_gan.models.face import inside_square
from temporal_gan.models.generator import Generator
from temporal_gan.models.layers import Upsampling
from temporal_gan.models.temporal import Temporal

TEMPORAL = ("none", "conv", "gru", "attention")
# How references enter.
ARMS: dict[str, dict[str, Any]] = {"warp": {}, "offset": {"warp_offset": 0.1}, "encode": {"carry": "encode"}}


def make(generator: Generator, batch: ClipBatch, noise: torch.Tensor | None = None) -> torch.Tensor:
    """The batch's clips, with a fixed noise unless given."""
    if noise is None:
        noise = torch.randn(len(batch), generator.config.nz, generator=torch.Generator().manual_seed(9))
    return generator(told(generator, batch), noise)[0]


def frames(condition: Condition, part: slice) -> Condition:
    """Some frames of a condition; what has one value a clip stays."""
    per_frame = {
        n: v[:, part]
        for n, v in vars(condition).items()
        if isinstance(v, torch.Tensor) and v.ndim >= 3 and n != "pictures"
    }
    return replace(condition, maps={r: m[:, part] for r, m in condition.maps.items()}, **per_frame)


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_clip_has_the_right_shape(size: int, channels: int) -> None:
    domain = tiny_domain(channels=channels)
    generator = tiny_generator(domain, size=size)
    made = make(generator, random_batch(domain, 2, 2, size=size))
    assert made.shape == (2, 2, channels, size, size)
    assert made.isfinite().all()
    assert float(made.std()) > 0.01


@pytest.mark.parametrize("upsample", ["deconv", "resize", "pixelshuffle"])
@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("temporal_level", [1, 3])
@pytest.mark.parametrize("arm", ARMS)
def test_every_choice_makes_clips_and_teaches_every_weight(
    upsample: Upsampling, temporal: Temporal, temporal_level: int, arm: str
) -> None:
    generator = tiny_generator(
        upsample=upsample, temporal=temporal, temporal_level=temporal_level, references=2, **ARMS[arm]
    )
    generator.requires_grad_(True)
    # Three frames: the first one's past is all 0, and would leave weights on it without gradient.
    made = make(generator, random_batch(generator.domain, 2, 3, references=2))
    assert made.shape == (2, 3, 3, 32, 32)
    made.square().mean().backward()
    still = [n for n, p in generator.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_no_weight_depends_on_the_number_of_joints() -> None:
    many, few = tiny_generator(tiny_domain()), tiny_generator(tiny_domain(skeleton=CHAIN14))
    shapes = [{n: p.shape for n, p in g.state_dict().items()} for g in (many, few)]
    assert shapes[0] == shapes[1]
    few.load_state_dict(many.state_dict())
    assert make(few, random_batch(few.domain, 1, 2)).shape == (1, 2, 3, 32, 32)


def test_with_a_map_per_joint_the_skeleton_is_fixed_and_each_joint_is_told_apart() -> None:
    domain = tiny_domain(skeleton=CHAIN14)
    generator = tiny_generator(domain, joint_maps=True)
    plain = sum(p.numel() for p in tiny_generator(domain).parameters())
    assert sum(p.numel() for p in generator.parameters()) > plain
    batch = random_batch(domain, 1, 2)
    maps = told(generator, batch).maps[32]
    assert maps.shape[2] == 3 * 8 + 14
    x, y = (batch.keypoints[0, 0, 5] * 32).long().tolist()
    assert maps[0, 0, 24 + 5, y, x] > 0.6  # half a pixel away at most, sigma 0.8
    assert maps[0, 0, 24 + 5].sum() < 10
    assert make(generator, batch).shape == batch.video.shape


def test_a_skeleton_without_limbs_and_data_without_expressions_work() -> None:
    domain = tiny_domain(skeleton=replace(CHAIN14, edges=()), expressions=(), characters=("one",))
    generator = tiny_generator(domain, references=1)
    made = make(generator, random_batch(domain, 2, 2, references=1))
    assert bool(made.isfinite().all())


@torch.no_grad()
@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize(("references", "arm"), [(0, "warp"), *((2, arm) for arm in ARMS)])
def test_a_clip_does_not_depend_on_the_others(temporal: Temporal, references: int, arm: str) -> None:
    generator = tiny_generator(temporal=temporal, references=references, **ARMS[arm]).train()
    batch = random_batch(generator.domain, 3, 3, references=references)
    other = random_batch(generator.domain, 3, 3, references=references, seed=1)
    mixed = {
        name: torch.cat([getattr(batch, name)[:1], getattr(other, name)[1:]])
        for name, value in vars(batch).items()
        if isinstance(value, torch.Tensor)
    }
    noise, changed = torch.randn(3, 4), torch.randn(3, 4)
    changed[0] = noise[0]
    one, two = make(generator, batch, noise), make(generator, replace(batch, **mixed), changed)
    # The same shapes run the same kernels: not one bit may differ.
    assert torch.equal(one[0], two[0])
    assert bool((one[1:] != two[1:]).any())


@torch.no_grad()
@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("arm", ARMS)
def test_a_frame_does_not_depend_on_what_comes_after(temporal: Temporal, arm: str) -> None:
    generator = tiny_generator(temporal=temporal, references=1, **ARMS[arm])
    batch = random_batch(generator.domain, 1, 5, references=1)
    other = random_batch(generator.domain, 1, 5, seed=1)
    whole = make(generator, batch)
    for t in range(1, 5):
        names = ("keypoints", "confidence", "layer", "expression")
        changed = {n: torch.cat([getattr(batch, n)[:, :t], getattr(other, n)[:, t:]], dim=1) for n in names}
        made = make(generator, replace(batch, **changed))
        assert torch.equal(made[:, :t], whole[:, :t])
        assert bool((made[:, t] != whole[:, t]).any())


@torch.no_grad()
@pytest.mark.parametrize("temporal", TEMPORAL[1:])
def test_a_frame_knows_of_the_one_before(temporal: Temporal) -> None:
    generator = tiny_generator(temporal=temporal)
    batch, other = random_batch(generator.domain, 1, 3), random_batch(generator.domain, 1, 3, seed=1)
    changed = replace(batch, keypoints=torch.cat([other.keypoints[:, :1], batch.keypoints[:, 1:]], dim=1))
    # Well above rounding, which would be 1e-6.
    assert float((make(generator, changed) - make(generator, batch))[:, 1].abs().max()) > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("flow_head", [False, True])
@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("pieces", [(1,) * 7, (3, 4), (5, 2)])
def test_a_clip_made_in_pieces_is_the_clip_made_at_once(
    temporal: Temporal, flow_head: bool, arm: str, pieces: tuple[int, ...]
) -> None:
    generator = tiny_generator(temporal=temporal, references=1, flow_head=flow_head, **ARMS[arm])
    condition = told(generator, random_batch(generator.domain, 2, 7, references=1))
    noise = torch.randn(2, 4)
    whole, _ = generator(condition, noise)
    state, parts, start = None, [], 0
    for count in pieces:
        made, state = generator(frames(condition, slice(start, start + count)), noise, state)
        parts.append(made)
        start += count
    # Other batch sizes may choose other kernels, whose sums round differently.
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=0, atol=3e-5)


@torch.no_grad()
def test_everything_that_is_commanded_matters() -> None:
    generator = tiny_generator()
    batch, noise = random_batch(generator.domain, 1, 2), torch.randn(1, 4)
    base = make(generator, batch, noise)
    changes = {
        "pose": replace(batch, keypoints=batch.keypoints + 0.1),
        "confidence": replace(batch, confidence=batch.confidence * 0),
        "depth": replace(batch, layer=2 - batch.layer),
        "expression": replace(batch, expression=1 - batch.expression),
        "label": replace(batch, expression_confidence=batch.expression_confidence * 0),
        "character": replace(batch, character=1 - batch.character),
    }
    for what, changed in changes.items():
        assert float((make(generator, changed, noise) - base).abs().max()) > 1e-4, what
    assert float((make(generator, batch, -noise) - base).abs().max()) > 1e-4
    # The picture it should make is not looked at.
    assert torch.equal(make(generator, replace(batch, video=-batch.video), noise), base)


@torch.no_grad()
def test_an_unlabelled_expression_is_not_read() -> None:
    generator = tiny_generator()
    batch = random_batch(generator.domain, 1, 2)
    unknown = replace(batch, expression_confidence=batch.expression_confidence * 0)
    other = replace(unknown, expression=1 - batch.expression)
    assert torch.equal(make(generator, unknown), make(generator, other))
    # Not labelled is not the same as labelled zero.
    zero = replace(batch, expression=batch.expression * 0)
    assert bool((make(generator, unknown) != make(generator, zero)).any())


@torch.no_grad()
def test_an_expression_at_one_frame_changes_that_frame() -> None:
    generator = tiny_generator(temporal="none")
    batch = random_batch(generator.domain, 1, 3)
    changed = batch.expression.clone()
    changed[:, 1] = 1 - changed[:, 1]
    differs = (
        (make(generator, replace(batch, expression=changed)) != make(generator, batch)).flatten(2).any(2)
    )
    assert differs.tolist() == [[False, True, False]]


@torch.no_grad()
def test_a_new_generator_shows_its_references_and_nothing_else() -> None:
    """In the references' own pose the warp is the identity, so the mean of equal references is that picture."""
    domain = tiny_domain()
    generator = tiny_generator(domain, awake=False, references=2)
    batch = random_batch(domain, 1, 1)
    picture = reference_frames(domain, frames=1)["mika"] | {
        "keypoints": batch.keypoints[0].numpy(),
        "confidence": batch.confidence[0].numpy(),
    }
    shown = with_references(batch, picture, 2)
    assert shown.reference_video is not None
    # One of two references is missing (black, at confidence 0) and takes no part.
    # 1e-3: the positions of the warp are float32.
    torch.testing.assert_close(make(generator, shown)[0, 0], shown.reference_video[0, 0], rtol=0, atol=1e-3)


@torch.no_grad()
def test_layered_warp_needs_the_depth_layers_and_no_weight() -> None:
    domain = tiny_domain()
    batch = random_batch(domain, 1, 2, references=1)
    plain, layered = (
        tiny_generator(domain, references=1),
        tiny_generator(domain, references=1, layered_warp=True),
    )
    assert plain.state_dict().keys() == layered.state_dict().keys()
    other = replace(batch, layer=2 - batch.layer)
    assert torch.equal(told(plain, batch).warped, told(plain, other).warped)
    assert float((told(layered, batch).warped - told(layered, other).warped).abs().max()) > 0.1
    assert float((told(layered, batch).warped - told(plain, batch).warped).abs().max()) > 0.1


@torch.no_grad()
@pytest.mark.parametrize(("size", "network_size"), [(32, None), (64, 32)])
def test_a_constant_offset_moves_each_reference_by_known_pixels(size: int, network_size: int | None) -> None:
    """The first reference half of the range along x and a quarter along y, the second a quarter back along y."""
    domain = tiny_domain()
    changes = {"awake": False, "references": 2, "size": size, "network_size": network_size}
    generator = tiny_generator(domain, warp_offset=0.125, **changes)
    wide, high = size // 16, size // 32
    generator.to_frame.bias[5:9] = torch.tensor([0.5, 0.25, 0, -0.25]).atanh()  # type: ignore[index]
    batch = random_batch(domain, 1, 2, size=size, references=2)
    # Alike in pose, so that both are seen.
    batch = replace(batch, reference_keypoints=batch.keypoints[:, :1].expand(-1, 2, -1, -1))
    condition = told(generator, batch)
    assert condition.warped is not None
    assert condition.preference is not None
    first, second = condition.warped.unbind(2)
    # What lies there is shown here, and beyond the border the border.
    first = torch.cat([first[..., wide:], first[..., -1:].expand(-1, -1, -1, -1, wide)], dim=-1)
    first = torch.cat([first[..., high:, :], first[..., -1:, :].expand(-1, -1, -1, high, -1)], dim=-2)
    second = torch.cat([second[..., :1, :].expand(-1, -1, -1, high, -1), second[..., :-high, :]], dim=-2)
    made, _ = generator(condition, torch.zeros(1, 4))
    # 1e-4: the positions are float32.
    torch.testing.assert_close(made, (first + second) / 2, rtol=0, atol=1e-4)
    plain, _ = tiny_generator(domain, **changes)(condition, torch.zeros(1, 4))
    assert float((made - plain).abs().max()) > 0.5


@torch.no_grad()
def test_a_new_offset_moves_nothing_and_its_range_is_kept() -> None:
    warped = torch.rand(1, 2, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(moved(warped, torch.zeros(1, 2, 6, 32, 32), 0.1), warped, rtol=0, atol=1e-5)
    # However large the head: two pixels of 32, in both directions.
    far = moved(warped, torch.full((1, 2, 6, 32, 32), 1e4), 2 / 32)
    torch.testing.assert_close(far[..., :-2, :-2], warped[..., 2:, 2:], rtol=0, atol=1e-5)


def test_an_offset_learns_from_the_first_step() -> None:
    generator = tiny_generator(awake=False, references=2, warp_offset=0.1).requires_grad_(True)
    make(generator, random_batch(generator.domain, 1, 2, references=2)).square().mean().backward()
    gradient = generator.to_frame.weight.grad
    assert gradient is not None
    assert gradient.shape[0] == 3 + 2 + 4
    assert bool(gradient[5:].flatten(1).any(1).all())


@torch.no_grad()
def test_encoded_references_are_read_as_they_are_and_not_blended() -> None:
    """In the references' own pose the warp changes nothing: then both arms paint the same, and the blend is missing."""
    domain = tiny_domain()
    warp, encode = (tiny_generator(domain, references=2, **ARMS[arm]) for arm in ("warp", "encode"))
    weights = warp.state_dict()
    encode.load_state_dict(weights | {n: weights[n][:3] for n in ("to_frame.weight", "to_frame.bias")})
    batch = random_batch(domain, 2, 1, references=2)
    batch = replace(
        batch,
        reference_keypoints=batch.keypoints.expand(-1, 2, -1, -1),
        reference_confidence=batch.confidence.expand(-1, 2, -1),
    )
    condition = told(encode, batch)
    assert condition.warped is None
    painted, noise = encode(condition, torch.zeros(2, 4))[0], torch.zeros(2, 4)
    with_blend, _ = warp(told(warp, batch), noise)
    assert float((with_blend - painted).abs().max()) > 0.1
    warp.to_frame.weight[3:], warp.to_frame.bias[3:] = 0, 0  # type: ignore[index]
    assert batch.reference_video is not None
    mean = batch.reference_video.mean(1, keepdim=True)
    torch.testing.assert_close(warp(told(warp, batch), noise)[0], painted + mean, rtol=0, atol=2e-3)


@torch.no_grad()
def test_the_poses_of_encoded_references_do_not_matter_and_the_face_sees_their_pictures() -> None:
    generator = tiny_generator(references=2, face_width=4, face_side=16, carry="encode", temporal="none")
    batch = random_batch(generator.domain, 1, 2, references=2)
    assert batch.reference_keypoints is not None
    assert batch.reference_video is not None
    base = make(generator, batch)
    assert torch.equal(
        make(generator, replace(batch, reference_keypoints=1 - batch.reference_keypoints)), base
    )
    # Blind but for the face network: the rest of the frame cannot change any more.
    generator.read[0].weight[:, -6:] = 0
    other = replace(batch, reference_video=-batch.reference_video)
    changed = (make(generator, other) - make(generator, batch)).abs() > 1e-4
    assert 0 < float(changed.float().mean()) < 1
    names = [generator.domain.skeleton.joints.index(n) for n in ("neck", "nose")]
    face = inside_square(batch.keypoints, batch.confidence, (names[0], names[1]), 32)
    # Half a pixel of the square reaches beyond it.
    near = torch.nn.functional.max_pool2d(face[0].float(), 3, 1, 1)[None] > 0
    assert not bool((changed & ~near).any())


@torch.no_grad()
@pytest.mark.parametrize("arm", ARMS)
def test_references_matter_and_a_character_without_any_is_made_too(arm: str) -> None:
    generator = tiny_generator(references=2, **ARMS[arm])
    batch = random_batch(generator.domain, 1, 2, references=2)
    assert batch.reference_video is not None
    base = make(generator, batch)
    other = replace(batch, reference_video=-batch.reference_video)
    assert float((make(generator, other) - base).abs().max()) > 0.1
    nothing = with_references(random_batch(generator.domain, 1, 2), {}, 2)
    assert bool(make(generator, nothing).isfinite().all())
    # The black frames that stand for missing ones are never shown.
    assert not make(tiny_generator(awake=False, references=2, **ARMS[arm]), nothing).any()


@pytest.mark.parametrize("arm", ARMS)
def test_learning_from_a_character_without_references_stays_finite(arm: str) -> None:
    """Also beside one that has them: a sum over no reference is where nan comes from, and nan spreads by gradient."""
    generator = tiny_generator(references=2, **ARMS[arm]).requires_grad_(True)
    rich = random_batch(generator.domain, 1, 2, references=2)
    poor = with_references(random_batch(generator.domain, 1, 2), {}, 2)
    joined = {
        n: torch.cat([v, getattr(poor, n)]) for n, v in vars(rich).items() if isinstance(v, torch.Tensor)
    }
    made = make(generator, replace(rich, **joined, clip_id=("rich", "poor")))
    made.square().mean().backward()
    bad = [n for n, p in generator.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert bad == []


@torch.no_grad()
def test_the_same_seed_builds_the_same_generator() -> None:
    assert torch.equal(*(make(tiny_generator(), random_batch(tiny_domain(), 1, 2)) for _ in range(2)))


def test_the_width_grows_towards_the_coarse_and_is_limited() -> None:
    config = tiny_generator(width=4, max_width=16).config
    assert [config.channels(level) for level in range(4)] == [4, 8, 16, 16]


def test_a_domain_survives_plain_types() -> None:
    domain = tiny_domain(skeleton=CHAIN14, channels=4)
    assert Domain.from_dict(domain.to_dict()) == domain
    assert domain.expressions == EXPRESSIONS
    for name in domain.to_dict():
        data = domain.to_dict()
        del data[name]
        with pytest.raises(ValueError, match=f"incomplete: '{name}'"):
            Domain.from_dict(data)


def test_a_frame_is_the_one_before_carried_along_the_flow_and_mixed_in_by_the_mask() -> None:
    """vid2vid eq. 4 with a flow of two whole pixels and a mask of 1/4, by hand."""
    made = torch.rand(1, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    head = torch.zeros(1, 3, 3, 32, 32)
    head[:, :, 0] = 2 / (20 / 256 * 32)
    head[:, :, 2] = -math.log(3)
    carried = carry_on(made, head, None)
    assert torch.equal(carried[:, 0], made[:, 0])
    before = carried[:, 0]
    for t in (1, 2):
        expected = 0.75 * before[..., 2:] + 0.25 * made[:, t, :, :, :-2]
        torch.testing.assert_close(carried[:, t, :, :, :-2], expected, rtol=0, atol=1e-5)
        before = carried[:, t]


@torch.no_grad()
def test_a_new_flow_head_changes_little_and_needs_no_frame_before() -> None:
    """Its mask begins at 0.98 for what the frame would be without it."""
    with_head = tiny_generator(awake=False, references=1, flow_head=True)
    without = tiny_generator(awake=False, references=1)
    batch, noise = random_batch(without.domain, 1, 3, references=1), torch.zeros(1, 4)
    one, state = with_head(told(with_head, batch), noise)
    two, _ = without(told(without, batch), noise)
    assert torch.equal(one[:, 0], two[:, 0])
    assert float((one - two).abs().max()) < 0.06
    assert float((one - two)[:, 1:].abs().max()) > 1e-3
    assert state is not None
    assert state.last is not None
    assert torch.equal(state.last, one[:, -1])


def test_a_flow_head_learns() -> None:
    generator = tiny_generator(references=1, flow_head=True).requires_grad_(True)
    made = make(generator, random_batch(generator.domain, 1, 3, references=1))
    made[:, 1:].square().mean().backward()
    gradient = generator.to_frame.weight.grad
    assert gradient is not None
    assert bool(gradient[-3:].flatten(1).any(1).all())
