"""Figures of validation one by one: what counts, what does not, and how clips are averaged."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import CLIP_GAN, config, puppet_store
from tiny_networks import CHAIN14, random_batch, tiny_domain
from torch import Tensor, nn

from temporal_gan import rng
from temporal_gan.batch import composite_on_white, to_display_range
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, whole_clip, with_nearest_references
from temporal_gan.data.references import ReferencePool
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.losses.growing import grown
from temporal_gan.metrics.diversity import sample_distance
from temporal_gan.metrics.paired import union_foreground
from temporal_gan.models.conditioning import Domain
from temporal_gan.models.generator import Generator
from temporal_gan.models.reader import FACE_JOINTS, Reader, Reading, read_video
from temporal_gan.models.reader_file import load_reader
from temporal_gan.skeletons import CANONICAL25, Skeleton
from temporal_gan.training.guides import load_guides
from temporal_gan.training.state import TrainState
from temporal_gan.training.step import build_state
from temporal_gan.training.validation import Validation
from temporal_gan.training.validation_set import HeldClip, ValidationSet, choose_validation_set, flow_of

CPU, FRAMES = torch.device("cpu"), 3
DOMAIN = tiny_domain(channels=4, expressions=EXPRESSIONS)


@pytest.fixture(scope="module")
def network(reader: Path) -> Reader:
    return load_reader(str(reader)).eval().requires_grad_(False)


def held_clip(domain: Domain = DOMAIN, frames: int = FRAMES, seed: int = 0, **changes: Tensor) -> HeldClip:
    batch = replace(random_batch(domain, 1, frames, seed=seed), **changes)  # type: ignore[arg-type]
    return HeldClip(batch, composite_on_white(to_display_range(batch.video)), None, None)


def validation(
    clips: ValidationSet, network: Reader, domain: Domain = DOMAIN, **changes: Any
) -> tuple[Validation, TrainState]:
    cfg = config(CLIP_GAN, **{"model__references": 0, "losses__flow_weight": 0.0, **changes})
    guides = replace(load_guides(cfg, domain, CPU), reader=network)
    state = build_state(cfg, domain, FRAMES, CPU)
    for parameter in (*state.generator.parameters(), *state.critics.parameters()):
        if not parameter.any():
            nn.init.normal_(parameter, 0, 0.1)
    state.ema = copy.deepcopy(state.generator)
    return Validation(clips, cfg, guides, CPU), state


def measured(held: HeldClip, network: Reader, domain: Domain = DOMAIN) -> dict[str, float]:
    return validation(ValidationSet((held,), ()), network, domain)[0].measure([held.rgb])


def reading(held: HeldClip, network: Reader) -> Reading:
    return read_video(network, held.rgb[0])


def sure_of(network: Reader, *confidence: float) -> Reader:
    """The same reader, as sure of each joint as is said, whatever it sees."""
    other = copy.deepcopy(network)
    other.seen.weight.zero_()
    other.seen.bias.copy_(torch.tensor(confidence).logit())  # type: ignore[union-attr]
    return other


# Joints


def test_joints_are_known_by_their_names_whatever_their_order(network: Reader) -> None:
    order = torch.arange(25).flip(0)
    backwards = Skeleton("backwards", CANONICAL25.joints[::-1], (), (), CANONICAL25.layers[::-1])
    domain, held = tiny_domain(channels=4, skeleton=backwards), held_clip()
    truth = reading(held, network).keypoints[None, :, order]
    sure = torch.ones(1, FRAMES, 25)
    right = held_clip(domain, keypoints=truth, confidence=sure)
    assert measured(right, network, domain)["reader_pck@0.05"] == 1
    wrong = truth.clone()
    # Five of 25 joints half a picture away, and within the box of the others.
    wrong[:, :, :5] = (wrong[:, :, :5] + 0.5) % 1
    moved = held_clip(domain, keypoints=wrong, confidence=sure)
    assert measured(moved, network, domain)["reader_pck@0.05"] == pytest.approx(0.8)


@pytest.mark.parametrize(("label", "share"), [(0.5, 1.0), (0.3, 0.8), (0.0, 1.0)])
def test_a_joint_behind_something_does_not_count_and_one_that_a_detector_doubts_does(
    network: Reader, label: float, share: float
) -> None:
    truth = reading(held_clip(), network).keypoints[None].clone()
    truth[:, :, :5] = (truth[:, :, :5] + 0.5) % 1
    confidence = torch.ones(1, FRAMES, 25)
    confidence[:, :, :5] = label
    held = held_clip(keypoints=truth, confidence=confidence)
    assert measured(held, network)["reader_pck@0.05"] == pytest.approx(share)


def test_a_joint_that_the_reader_hardly_sees_is_missed(network: Reader) -> None:
    doubtful = sure_of(network, *[0.3] * 15, *[0.2] * 10)
    held = held_clip(
        keypoints=reading(held_clip(), network).keypoints[None], confidence=torch.ones(1, FRAMES, 25)
    )
    assert measured(held, doubtful)["reader_pck@0.05"] == pytest.approx(15 / 25)


def test_within_a_twentieth_of_the_box_a_joint_is_in_place(network: Reader) -> None:
    truth = reading(held_clip(), network).keypoints[None]
    box = (truth.amax(2) - truth.amin(2)).amax(-1)
    for share in (0.04, 0.06):
        moved = truth.clone()
        # A joint in the middle of the others, so that the box stays.
        middle = int((truth[0, 0] - truth[0, 0].mean(0)).norm(dim=-1).argmin())
        moved[:, :, middle, 0] += share * box
        held = held_clip(keypoints=moved, confidence=torch.ones(1, FRAMES, 25))
        found = measured(held, network)["reader_pck@0.05"]
        assert (found == 1) == (share < 0.05)


# Expressions


def labelled(network: Reader, **changes: Tensor) -> HeldClip:
    """Every frame labelled as what is read from it, with its face in view."""
    best = reading(held_clip(), network).expression[:, :8].argmax(-1)
    truth = nn.functional.one_hot(best, len(EXPRESSIONS)).float()[None]
    return held_clip(**{"expression": truth, "confidence": torch.ones(1, FRAMES, 25), **changes})


def test_expressions_are_known_by_their_names_and_controls_are_none(network: Reader) -> None:
    held = labelled(network)
    assert measured(held, network)["expression_accuracy"] == 1
    # A control at full strength beside it changes nothing.
    blinking = held.batch.expression.clone()
    blinking[..., 8:] = 1
    assert measured(labelled(network, expression=blinking), network)["expression_accuracy"] == 1
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS[::-1])
    backwards = held_clip(domain, expression=held.batch.expression.flip(-1), confidence=held.batch.confidence)
    assert measured(backwards, network, domain)["expression_accuracy"] == 1


def test_frames_that_are_weak_unlabelled_or_faceless_do_not_count(network: Reader) -> None:
    right = labelled(network).batch
    wrong = right.expression.roll(1, -1)
    one_wrong = torch.cat([wrong[:, :1], right.expression[:, 1:]], dim=1)
    assert measured(labelled(network, expression=one_wrong), network)["expression_accuracy"] == pytest.approx(
        2 / 3
    )
    weak = one_wrong.clone()
    weak[:, 0] *= 0.4
    assert measured(labelled(network, expression=weak), network)["expression_accuracy"] == 1
    known = torch.ones_like(right.expression)
    known[:, 0] = 0
    unlabelled = labelled(network, expression=one_wrong, expression_confidence=known)
    assert measured(unlabelled, network)["expression_accuracy"] == 1
    for joint in FACE_JOINTS:
        confidence = torch.ones(1, FRAMES, 25)
        confidence[:, 0, joint] = 0.5
        hidden = labelled(network, expression=one_wrong, confidence=confidence)
        assert measured(hidden, network)["expression_accuracy"] == 1
    # Where no frame counts, nothing is said.
    assert "expression_accuracy" not in measured(
        labelled(network, expression=0.4 * right.expression), network
    )


def test_where_the_labels_know_no_face_the_reader_says_whether_there_is_one(network: Reader) -> None:
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS, skeleton=CHAIN14)
    held = held_clip(domain, expression=labelled(network).batch.expression)
    for share, said in ((0.9, True), (0.2, False)):
        eyed = sure_of(network, *(share if j in FACE_JOINTS else 0.6 for j in range(25)))
        figures = measured(held, eyed, domain)
        assert ("expression_accuracy" in figures) == said
        assert "reader_pck@0.05" not in figures


# Over clips


def test_a_clip_for_which_a_figure_is_not_defined_is_left_out_of_its_mean(network: Reader) -> None:
    some, blank = held_clip(), held_clip(video=torch.full((1, FRAMES, 4, 32, 32), -1.0))
    made = (some.rgb + 0.1).clamp(0, 1)
    alone = validation(ValidationSet((some,), ()), network)[0].measure([made])
    both = validation(ValidationSet((some, blank), ()), network)[0].measure([made, blank.rgb])
    for name in ("foreground_psnr", "foreground_ssim", "sharpness_ratio"):
        assert both[name] == pytest.approx(alone[name]), name


def test_motion_and_warping_are_measured_where_a_character_is(network: Reader) -> None:
    """A page that flickers far from the character is neither motion nor error of it."""
    x = torch.arange(32.0)
    video = torch.full((1, 4, 4, 32, 32), -1.0)
    for t in range(4):
        inside = ((x - 8 - t) ** 2 + (x[:, None] - 10) ** 2 < 36).float()
        video[0, t, 0] = inside * (1 + torch.sin(0.9 * (x - t))) - 1
        video[0, t, 3] = 2 * inside - 1
    batch = replace(random_batch(DOMAIN, 1, 4), video=video)
    rgb = composite_on_white(to_display_range(video))
    held = HeldClip(batch, rgb, *flow_of(rgb))
    figures = measured(held, network)
    assert figures["motion_ratio"] == pytest.approx(1)
    assert figures["warping_error_ratio"] == pytest.approx(1)
    # Within the border colour's tolerance, so it is no silhouette.
    made = rgb.clone()
    made[:, ::2, :, 24:] -= 0.03
    flickering = validation(ValidationSet((held,), ()), network)[0].measure([made])
    assert flickering["warping_error_ratio"] == pytest.approx(1, rel=1e-3)


def test_diversity_is_that_of_four_noises_in_the_silhouettes_of_all(network: Reader) -> None:
    clips = (held_clip(frames=6), held_clip(frames=5, seed=1))
    ask, state = validation(ValidationSet(clips, ()), network)
    generator, wanted = state.ema, []
    assert isinstance(generator, Generator)
    for number, held in enumerate(clips):
        short = held.batch.frames(slice(4))
        with torch.no_grad():
            samples = torch.stack(
                [
                    generator(
                        generator.tell(held.batch), rng.normal((1, 4), 0, "validation", number, sample)
                    )[0][:, :4]
                    for sample in range(4)
                ]
            )
        white = composite_on_white(to_display_range(samples.flatten(0, 1)))[:, None]
        mask = torch.stack([union_foreground(s, to_display_range(short.video)) for s in white]).any(0)
        wanted.append(sample_distance(white, mask))
    expected = float(torch.cat(wanted).mean())
    assert expected > 0
    assert ask(state)["validation/mode_diversity"] == pytest.approx(expected, rel=1e-4)


# Critics


def test_critics_are_shown_clips_as_coarse_as_in_training(network: Reader) -> None:
    held, trained = held_clip(), held_clip(seed=1).batch
    stages = [{"size": 8, "until_step": 10}]
    ask, state = validation(ValidationSet((held,), (trained,)), network, data__growing=stages)
    plain, _ = validation(ValidationSet((held,), (trained,)), network)
    generator, critic = state.ema, state.critics["frame"]
    assert isinstance(generator, Generator)
    growing = config(CLIP_GAN, model__references=0, data__growing=stages).data.growing
    with torch.no_grad():
        made = generator(generator.tell(held.batch), rng.normal((1, 4), 0, "validation", 0, 0))[0]
        pairs = ((trained, trained.video), (held.batch, held.batch.video), (held.batch, made))
        known, new, fake = (
            float(critic(grown(video, growing, 0), generator.tell(batch))[0].mean()) for batch, video in pairs
        )
    if known < fake:
        # The critic that says the opposite: then training clips are above made ones.
        for name, parameter in critic.named_parameters():
            if name.split(".")[-2] in ("score", "by_face", "by_character"):
                parameter.data.neg_()
    wanted = pytest.approx((known - new) / (known - fake), rel=1e-2)
    assert ask(state)["validation/frame_overfitting"] == wanted
    assert plain(state).get("validation/frame_overfitting") != wanted


def test_a_critic_of_clips_says_nothing_of_single_frames(network: Reader) -> None:
    ask, state = validation(ValidationSet((held_clip(frames=1),), (held_clip(seed=1).batch,)), network)
    assert set(state.critics) == {"frame", "clip"}
    assert "validation/clip_overfitting" not in ask(state)


def test_an_equal_figure_later_is_no_better(network: Reader) -> None:
    ask, state = validation(ValidationSet((held_clip(),), ()), network, train__best_by="foreground_psnr")
    state.step = 3
    ask(state)
    first = state.best
    state.step = 5
    ask(state)
    assert first is not None
    assert state.best == first == (3, first[1])


# Which clips


@pytest.mark.parametrize("mirrored", [False, True])
def test_held_out_clips_get_the_references_that_suit_them(tmp_path: Path, mirrored: bool) -> None:
    store = puppet_store(tmp_path / "store", clips=6, frames=10)
    cache = open_cache(store, 32, quiet=True)
    pool = ReferencePool(store, cache)
    data = ClipDataset(store, cache, "train", 10, 0, references=2, mirrored=mirrored)
    names = {row.character for row in store.split("train")}
    banks = {name: pool.bank(name) for name in names}
    flip = store.info.skeleton.flip_permutation() if mirrored else None
    chosen = choose_validation_set(store, cache, data, banks, 2, flip)
    for held, row in zip(chosen.held, store.split("val"), strict=True):
        clip = whole_clip(store, cache, row.id).frames(slice(8))
        wanted = with_nearest_references(clip, banks.get(row.character, {}), 2, flip)
        assert held.batch.video.shape[1] == 8
        assert wanted.reference_video is not None
        assert held.batch.reference_video is not None
        assert torch.equal(held.batch.reference_video, wanted.reference_video)
        assert held.flow is not None
    assert {batch.video.shape[1] for batch in chosen.trained} == {8}
    assert choose_validation_set(store, cache, data, {}, 0).held[0].batch.reference_video is None


def test_a_clip_without_motion_has_no_flow() -> None:
    assert flow_of(torch.rand(1, 1, 3, 32, 32)) == (None, None)
    assert flow_of(torch.rand(1, 3, 3, 8, 8)) == (None, None)
    flow, valid = flow_of(torch.rand(1, 3, 3, 32, 32))
    assert flow is not None
    assert valid is not None
    assert flow.shape == (1, 2, 2, 32, 32)
    assert valid.shape == (1, 2, 1, 32, 32)
