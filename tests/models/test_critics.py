"""Critics: they score every patch of every clip alone, and look at what was commanded."""

from dataclasses import replace

import pytest
import torch
from tiny_networks import random_batch, tiny_domain

from temporal_gan.batch import ClipBatch
from temporal_gan.models.clip_discriminator import ClipCriticConfig, ClipDiscriminator
from temporal_gan.models.conditioning import Domain, make_condition, map_channels
from temporal_gan.models.frame_discriminator import FrameCriticConfig, FrameDiscriminator

GROUPS = 2


def frame_critic(domain: Domain | None = None, **changes: float) -> FrameDiscriminator:
    torch.manual_seed(0)
    config = FrameCriticConfig(**{"width": 4, "layers": 2, "scales": 2, **changes})
    return FrameDiscriminator(config, domain or tiny_domain(), map_channels(tiny_domain(), GROUPS))


def clip_critic(domain: Domain | None = None, **changes: int | tuple[int, ...]) -> ClipDiscriminator:
    torch.manual_seed(0)
    config = ClipCriticConfig(**{"width": 4, "layers": 2, "frames": 3, **changes})
    return ClipDiscriminator(config, domain or tiny_domain(), map_channels(tiny_domain(), GROUPS))


CRITICS = pytest.mark.parametrize("build", [frame_critic, clip_critic])


def score(critic: torch.nn.Module, batch: ClipBatch, domain: Domain | None = None) -> torch.Tensor:
    condition = make_condition(batch, domain or tiny_domain(), batch.video.shape[-1], GROUPS)
    return critic(batch.video, condition)[0]


@pytest.mark.parametrize(
    ("layers", "scales", "patches"), [(2, 1, 64), (3, 1, 16), (2, 2, 64 + 16), (2, 3, 64 + 16 + 4)]
)
def test_the_frame_critic_scores_every_patch_of_every_frame(layers: int, scales: int, patches: int) -> None:
    batch = random_batch(tiny_domain(), 2, 3)
    condition = make_condition(batch, tiny_domain(), 32, GROUPS)
    logits, features = frame_critic(layers=layers, scales=scales)(batch.video, condition)
    assert logits.shape == (2, 3 * patches)
    assert len(features) == scales * (layers + 1)
    assert all(len(f) == 2 for f in features)


@pytest.mark.parametrize(("frames", "runs"), [(2, 4), (3, 3), (5, 1)])
def test_the_clip_critic_scores_every_run_of_frames(frames: int, runs: int) -> None:
    assert score(clip_critic(frames=frames), random_batch(tiny_domain(), 2, 5)).shape == (2, runs * 64)


def test_the_clip_critic_refuses_too_few_frames() -> None:
    with pytest.raises(ValueError, match="2 frames, needs at least 3"):
        score(clip_critic(frames=3), random_batch(tiny_domain(), 1, 2))


@torch.no_grad()
@CRITICS
def test_video_pose_expression_and_character_matter(build: type) -> None:
    critic = build()
    batch = random_batch(tiny_domain(), 2, 3)
    base = score(critic, batch)
    for changed in (
        replace(batch, video=-batch.video),
        replace(batch, keypoints=batch.keypoints + 0.1),
        replace(batch, expression=1 - batch.expression),
        replace(batch, expression_confidence=batch.expression_confidence * 0),
        replace(batch, character=1 - batch.character),
    ):
        assert float((score(critic, changed) - base).abs().amax(1).min()) > 1e-4


@torch.no_grad()
@CRITICS
def test_clips_do_not_mix(build: type) -> None:
    critic = build().train()
    batch = random_batch(tiny_domain(), 3, 4)
    video = batch.video.clone()
    video[1:] = -video[1:]
    one, two = score(critic, batch), score(critic, replace(batch, video=video, character=1 - batch.character))
    changed_character = replace(batch, video=video, character=torch.tensor([batch.character[0], 1, 1]))
    assert torch.equal(score(critic, changed_character)[0], one[0])
    assert bool((two[0] != one[0]).any())


@torch.no_grad()
def test_the_frame_critic_judges_each_frame_alone() -> None:
    critic, batch = frame_critic(scales=1), random_batch(tiny_domain(), 1, 3)
    video = batch.video.clone()
    video[:, 1] = -video[:, 1]
    differs = (score(critic, replace(batch, video=video)) != score(critic, batch)).view(3, -1).any(1)
    assert differs.tolist() == [False, True, False]


@torch.no_grad()
def test_a_run_shows_its_frames_their_differences_and_the_poses_of_its_ends() -> None:
    critic, batch = clip_critic(frames=3), random_batch(tiny_domain(), 1, 4)
    shown: list[torch.Tensor] = []
    critic.critics[0].register_forward_pre_hook(lambda _, inputs: shown.extend(inputs))
    score(critic, batch)
    video, maps = batch.video[0], make_condition(batch, tiny_domain(), 32, GROUPS).maps[32][0]
    for run, picture in enumerate(shown[0]):
        one, two, three = video[run], video[run + 1], video[run + 2]
        expected = torch.cat([one, two, three, two - one, three - two, maps[run], maps[run + 2]])
        assert torch.equal(picture, expected)
    assert len(shown[0]) == 2


@torch.no_grad()
def test_the_clip_critic_sees_the_order_of_frames() -> None:
    critic, batch = clip_critic(), random_batch(tiny_domain(), 1, 3)
    still = replace(batch, keypoints=batch.keypoints[:, :1].repeat(1, 3, 1, 1))
    swapped = replace(still, video=still.video[:, [1, 0, 2]])
    assert float((score(critic, swapped) - score(critic, still)).abs().max()) > 1e-4


@CRITICS
def test_every_weight_and_the_video_get_a_gradient(build: type) -> None:
    critic = build()
    batch = random_batch(tiny_domain(), 2, 3)
    video = batch.video.requires_grad_()
    score(critic, replace(batch, video=video)).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in critic.parameters())
    assert video.grad is not None
    assert bool(video.grad.flatten(2).any(2).all())


@torch.no_grad()
@CRITICS
def test_rgba_and_unlabelled_data_have_critics_too(build: type) -> None:
    domain = tiny_domain(channels=4, expressions=(), characters=("one",))
    assert bool(score(build(domain), random_batch(domain, 2, 3), domain).isfinite().all())


@pytest.mark.parametrize(
    ("strides", "frames", "runs"),
    [((1, 3), 8, 6 + 2), ((1, 3), 6, 4), ((1, 3, 9), 20, 18 + 14 + 2), ((3,), 7, 1)],
)
def test_runs_at_each_stride_that_fits_the_clip(strides: tuple[int, ...], frames: int, runs: int) -> None:
    critic = clip_critic(strides=strides)
    assert len(critic.critics) == len(strides)
    assert score(critic, random_batch(tiny_domain(), 1, frames)).shape == (1, runs * 64)


@torch.no_grad()
def test_a_run_at_stride_three_takes_every_third_frame() -> None:
    critic, batch = clip_critic(strides=(3,)), random_batch(tiny_domain(), 1, 8)
    shown: list[torch.Tensor] = []
    critic.critics[0].register_forward_pre_hook(lambda _, inputs: shown.extend(inputs))
    score(critic, batch)
    condition = make_condition(batch, tiny_domain(), 32, GROUPS)
    video, maps = batch.video[0], condition.maps[32][0]
    for run in range(2):
        one, two, three = video[run], video[run + 3], video[run + 6]
        expected = torch.cat([one, two, three, two - one, three - two, maps[run], maps[run + 6]])
        assert torch.equal(shown[0][run], expected)
    assert torch.equal(shown[1], condition.face[0, 6:])
    assert critic.fewest_frames == 7


def test_the_clip_critic_refuses_a_clip_too_short_for_every_stride() -> None:
    with pytest.raises(ValueError, match="6 frames, needs at least 7"):
        score(clip_critic(strides=(3, 9)), random_batch(tiny_domain(), 1, 6))
    with pytest.raises(ValueError, match="twice"):
        ClipCriticConfig(strides=(3, 3))


def test_the_expression_head_reads_frames_and_pose_and_not_the_command() -> None:
    critic, batch = frame_critic(expression_weight=1.0), random_batch(tiny_domain(), 2, 3)

    def read(shown: ClipBatch) -> torch.Tensor:
        condition = make_condition(shown, tiny_domain(), 32, GROUPS)
        return critic.read_expression(critic(shown.video, condition)[1], 3)

    base = read(batch)
    assert base.shape == (2, 3, 3)
    assert torch.equal(read(replace(batch, expression=1 - batch.expression)), base)
    video = batch.video.clone()
    video[1, 2] = -video[1, 2]
    differs = (read(replace(batch, video=video)) != base).any(2)
    assert differs.tolist() == [[False] * 3, [False, False, True]]
    # It looks at the full size: a checkerboard is gone at half of it.
    board = 0.5 - (torch.arange(32) + torch.arange(32)[:, None]) % 2
    assert bool((read(replace(batch, video=batch.video + board)) != base).all())
    base.sum().backward()
    assert critic.expression is not None
    assert bool(critic.expression.weight.grad.any())  # type: ignore[union-attr]
    assert frame_critic().expression is None
