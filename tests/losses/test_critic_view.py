"""What critics are shown: each change is what it says, the same for real and made, for all frames, and for any part
of the batch."""

import pytest
import torch

from temporal_gan import rng
from temporal_gan.losses.critic_view import CriticView, CriticViewConfig, draw_view

ALL = {"noise": 0.2, "noise_steps": 100, "colour": 1.0, "translation": 0.25, "cutout": 0.5}


def clips(count: int = 4, channels: int = 4, size: int = 16) -> torch.Tensor:
    colour = torch.rand(count, 3, 3, size, size)
    if channels == 3:
        return 2 * colour - 1
    alpha = (torch.rand(count, 3, 1, size, size) > 0.5).float()
    return 2 * torch.cat([colour * alpha, alpha], dim=2) - 1


def drawn(video: torch.Tensor, step: int = 0, seed: int = 0, **values: float) -> CriticView:
    count = len(video)
    return draw_view(CriticViewConfig(**values), video, count, slice(0, count), seed, step)  # type: ignore[arg-type]


def test_off_is_the_same_tensor() -> None:
    video, maps = clips(), torch.rand(4, 3, 5, 8, 8)
    view = drawn(video)
    assert view.video(video) is video
    assert view.maps(maps, 16) is maps


@pytest.mark.parametrize("part", ["noise", "colour", "translation", "cutout"])
def test_each_part_changes_clips_by_seed_and_step_and_nothing_else(part: str) -> None:
    video = clips()
    shown = drawn(video, **{part: ALL[part]}).video(video)
    assert not torch.equal(shown, video)
    torch.rand(5)
    assert torch.equal(drawn(video, **{part: ALL[part]}).video(video), shown)
    assert not torch.equal(drawn(video, step=1, **{part: ALL[part]}).video(video), shown)
    assert not torch.equal(drawn(video, seed=1, **{part: ALL[part]}).video(video), shown)


def test_parts_of_a_batch_are_shown_what_the_whole_is() -> None:
    video = clips()
    whole = drawn(video, **ALL).video(video)
    config = CriticViewConfig(**ALL)  # type: ignore[arg-type]
    halves = [draw_view(config, video[p], 4, p, 0, 0).video(video[p]) for p in (slice(0, 2), slice(2, 4))]
    assert torch.equal(torch.cat(halves), whole)


def test_noise_fades_linearly_and_is_the_same_for_real_and_made() -> None:
    real, made = clips(), clips()
    for step, sigma in ((0, 0.2), (50, 0.1), (75, 0.05)):
        view = drawn(real, step, noise=0.2, noise_steps=100)
        added = view.video(real) - real
        assert float(added.std()) == pytest.approx(sigma, rel=0.05)
        torch.testing.assert_close(view.video(made) - made, added, rtol=0, atol=1e-6)
    assert drawn(real, 100, noise=0.2, noise_steps=100).noise is None
    assert drawn(real, 5000, noise=0.2, noise_steps=100).noise is None


@pytest.mark.parametrize("channels", [3, 4])
def test_a_clip_and_its_maps_move_by_the_same_whole_pixels(channels: int) -> None:
    video, size = clips(16, channels), 16
    view = drawn(video, translation=0.25)
    assert view.shift is not None
    shown = view.video(video)
    for b, (dx, dy) in enumerate(view.shift.tolist()):
        assert max(abs(dx), abs(dy)) <= 4
        wanted = torch.full_like(video[b], -1.0)
        inner = video[b][..., max(0, -dy) : size - max(0, dy), max(0, -dx) : size - max(0, dx)]
        wanted[..., max(0, dy) : size + min(0, dy), max(0, dx) : size + min(0, dx)] = inner
        torch.testing.assert_close(shown[b], wanted, rtol=0, atol=1e-4)
        if dx % 2 == dy % 2 == 0:
            maps = torch.rand(16, 3, 2, 8, 8)
            moved = view.maps(maps, size)[b]
            rows, columns = torch.arange(8) - dy // 2, torch.arange(8) - dx // 2
            inside = ((rows >= 0) & (rows < 8))[:, None] & ((columns >= 0) & (columns < 8))
            expected = maps[b][:, :, rows.clamp(0, 7)][..., columns.clamp(0, 7)] * inside
            torch.testing.assert_close(moved, expected, rtol=0, atol=1e-4)
    assert len({tuple(s) for s in view.shift.tolist()}) > 8


def chosen_by(video: torch.Tensor, probability: float, **values: float) -> CriticView:
    config, count = CriticViewConfig(**values), len(video)  # type: ignore[arg-type]
    return draw_view(config, video, count, slice(0, count), 0, 0, torch.tensor(probability))


CHANGES = {"colour": 1.0, "translation": 0.25, "cutout": 0.5}


@pytest.mark.parametrize("part", CHANGES)
def test_a_probability_chooses_the_clips_that_are_changed_as_without_it(part: str) -> None:
    video = clips(300, size=8)
    always = drawn(video, **{part: CHANGES[part]}).video(video)
    torch.testing.assert_close(chosen_by(video, 0.0, **{part: CHANGES[part]}).video(video), video)
    assert torch.equal(chosen_by(video, 1.0, **{part: CHANGES[part]}).video(video), always)
    some = chosen_by(video, 0.3, **{part: CHANGES[part]}).video(video)
    as_always, as_never = ((some - x).abs().flatten(1).amax(1) < 1e-5 for x in (always, video))
    assert bool((as_always | as_never).all())
    assert float((~as_never).float().mean()) == pytest.approx(0.3, abs=0.08)


def test_each_change_is_chosen_by_itself() -> None:
    view = chosen_by(clips(400, size=8), 0.5, **CHANGES)
    assert view.colour is not None
    assert view.shift is not None
    assert view.hole is not None
    recoloured = (view.colour != torch.tensor([0.0, 1.0, 1.0])).any(1)
    cut = view.hole.flatten(1).any(1)
    assert float((recoloured & cut).float().mean()) == pytest.approx(0.25, abs=0.07)


def test_parts_of_a_batch_are_chosen_as_the_whole_is() -> None:
    video, p = clips(), torch.tensor(0.5)
    config = CriticViewConfig(**ALL)  # type: ignore[arg-type]
    whole = draw_view(config, video, 4, slice(0, 4), 0, 0, p).video(video)
    halves = [
        draw_view(config, video[part], 4, part, 0, 0, p).video(video[part])
        for part in (slice(0, 2), slice(2, 4))
    ]
    assert torch.equal(torch.cat(halves), whole)


def test_noise_does_not_ask_the_probability() -> None:
    video = clips()
    assert torch.equal(chosen_by(video, 0.0, noise=0.2).video(video), drawn(video, noise=0.2).video(video))


def test_every_shift_up_to_the_largest_is_drawn() -> None:
    video = torch.zeros(400, 1, 3, 8, 8)
    shift = drawn(video, translation=0.25).shift
    assert shift is not None
    assert sorted(set(shift.flatten().tolist())) == [-2, -1, 0, 1, 2]


def test_a_cutout_empties_one_square_of_a_clip_in_every_frame() -> None:
    video = clips(64, 4)
    view = drawn(video, cutout=0.5)
    hole = (view.video(video + 3) == -1).all(dim=2)
    assert bool((hole == hole[:, :1]).all())
    assert bool((view.video(video + 3)[~hole[:, :, None].expand_as(video)] > 1).all())
    areas = hole[:, 0].flatten(1).sum(1)
    assert int(areas.max()) == 64  # half of the side, whole
    assert int(areas.min()) >= 16  # in a corner


def test_colour_leaves_what_is_transparent_transparent_and_alpha_alone() -> None:
    video = clips()
    shown = drawn(video, colour=1.0).video(video)
    assert torch.equal(shown[:, :, 3:], video[:, :, 3:])
    empty = (video[:, :, 3:] == -1).expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(shown[:, :, :3][empty], video[:, :, :3][empty], rtol=0, atol=1e-5)
    assert float((shown - video)[:, :, :3][~empty].abs().mean()) > 0.05


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_is_brightness_then_saturation_then_contrast(channels: int) -> None:
    video = clips(2, channels)
    if channels == 4:
        video[:, :, 3] = 1.0
    unit = (video[:, :, :3].double() + 1) / 2

    def shown(light: float, saturation: float, contrast: float) -> torch.Tensor:
        view = CriticView(colour=torch.tensor([[light, saturation, contrast]]).expand(2, 3))
        return (view.video(video)[:, :, :3].double() + 1) / 2

    torch.testing.assert_close(shown(0, 1, 1), unit, rtol=0, atol=1e-6)
    torch.testing.assert_close(shown(0.2, 1, 1), unit + 0.2, rtol=0, atol=1e-6)
    grey = unit.mean(2, keepdim=True)
    torch.testing.assert_close(shown(0, 0, 1), grey.expand_as(unit), rtol=0, atol=1e-6)
    mean = unit.mean((1, 2, 3, 4), keepdim=True)
    torch.testing.assert_close(shown(0, 1, 1.5), mean + 1.5 * (unit - mean), rtol=0, atol=1e-6)


def test_colours_reach_as_far_as_published() -> None:
    colour = drawn(torch.zeros(2000, 1, 3, 2, 2), colour=1.0).colour
    assert colour is not None
    low, high = colour.aminmax(dim=0)
    torch.testing.assert_close(low, torch.tensor([-0.5, 0.0, 0.5]), rtol=0, atol=0.01)
    torch.testing.assert_close(high, torch.tensor([0.5, 2.0, 1.5]), rtol=0, atol=0.01)


def test_the_generator_learns_through_every_change() -> None:
    video = clips(2).double().requires_grad_()
    view = drawn(video, colour=1.0, translation=0.1, noise=0.1)
    assert torch.autograd.gradcheck(lambda v: view.video(v).square().sum(), (video,), fast_mode=True)


def test_uniform_numbers_are_a_function_of_their_keys() -> None:
    a = rng.uniform((1000,), 0, 1, "x")
    assert torch.equal(a, rng.uniform((1000,), 0, 1, "x"))
    assert not torch.equal(a, rng.uniform((1000,), 0, 2, "x"))
    assert float(a.min()) >= 0
    assert float(a.max()) < 1
    assert float(a.mean()) == pytest.approx(0.5, abs=0.03)
