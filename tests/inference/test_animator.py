"""The animator: pose, expression and character in, a clip in [0, 1] out; the same command gives the same clip."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_networks import CHAIN14, EXPRESSIONS, reference_frames, tiny_domain, tiny_generator

from temporal_gan.errors import UserError
from temporal_gan.inference import animator as animator_module
from temporal_gan.inference.animator import Animator, load_animator
from temporal_gan.inference.pose_source import read_pose
from temporal_gan.inference.weights_file import save_animator
from temporal_gan.pose_files import PoseSequence
from temporal_gan.puppet import motion_keypoints
from temporal_gan.skeletons import CANONICAL25


def build(channels: int = 3, references: int = 0, fps: float = 12.0, **changes: Any) -> Animator:
    domain = tiny_domain(channels=channels, fps=fps, **changes)
    frames = reference_frames(domain) if references else {}
    return Animator(tiny_generator(domain, references=references), frames, torch.device("cpu"))


def poses(frames: int, joints: int = 25, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.8, (frames, joints, 2)).astype(np.float32)


def far(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Different by far more than rounding."""
    return float((a - b).abs().max()) > 1e-4


def test_a_saved_animator_is_opened_and_makes_a_clip(tmp_path: Path) -> None:
    generator = tiny_generator(references=2)
    save_animator(tmp_path / "animator.safetensors", generator, reference_frames(generator.domain))
    for source in (tmp_path, str(tmp_path / "animator.safetensors")):
        animator = load_animator(source)
        assert (animator.characters, animator.expressions) == (("mika", "sora"), EXPRESSIONS)
        assert (animator.size, animator.fps) == (32, 12.0)
        video = animator.generate(pose="motion:wave", expression="happy", character="sora", frames=3)
        assert (video.shape, video.dtype) == ((3, 3, 32, 32), torch.float32)
        assert 0 <= float(video.min()) < float(video.max()) <= 1


@pytest.mark.parametrize("references", [0, 2])
def test_the_same_command_gives_the_same_clip_and_each_part_of_it_matters(references: int) -> None:
    animator, pose = build(references=references), poses(3)
    base = animator.generate(pose, "happy", "mika", seed=3)
    torch.rand(5)
    assert torch.equal(animator.generate(pose, "happy", "mika", seed=3), base)
    assert far(animator.generate(pose, "happy", "mika", seed=4), base)
    assert far(animator.generate(pose, "sad", "mika", seed=3), base)
    assert far(animator.generate(pose, "happy", "sora", seed=3), base)
    assert far(animator.generate(poses(3, seed=1), "happy", "mika", seed=3), base)


@pytest.mark.parametrize(("name", "body"), [("sample:7", "sample:7"), ("pipi", "pipi"), ("sample:x", "hana")])
def test_a_motion_moves_in_the_proportions_of_its_own_puppet(name: str, body: str) -> None:
    pose = read_pose("motion:walk", tiny_domain(), name, frames=3, seed=0)
    np.testing.assert_array_equal(pose.keypoints, motion_keypoints(body, "walk", 3, 12.0)[0])


def test_defaults_are_neutral_and_the_first_character() -> None:
    animator, pose = build(), poses(2)
    assert torch.equal(animator.generate(pose), animator.generate(pose, "neutral", "mika"))


def test_names_without_neutral_default_to_nothing_raised() -> None:
    animator, pose = build(expressions=("smug", "jawOpen")), poses(2)
    assert torch.equal(animator.generate(pose), animator.generate(pose, np.zeros((2, 2))))


@pytest.mark.parametrize("chunk", [1, 5, 16])
def test_a_long_clip_in_chunks_is_the_clip_at_once(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    animator, pose = build(references=1), poses(37)
    monkeypatch.setattr(animator_module, "CHUNK_FRAMES", 64)
    whole = animator.generate(pose, "happy>sad")
    monkeypatch.setattr(animator_module, "CHUNK_FRAMES", chunk)
    pieces = list(animator.stream(pose, "happy>sad"))
    assert [len(p) for p in pieces] == [chunk] * (37 // chunk) + [37 % chunk] * (37 % chunk > 0)
    # Other batch sizes may choose other kernels, whose sums round differently.
    torch.testing.assert_close(torch.cat(pieces), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 40])
def test_the_clip_is_as_long_as_asked(frames: int) -> None:
    assert build().generate(poses(4), frames=frames).shape == (frames, 3, 32, 32)
    assert build().generate("motion:idle", frames=frames).shape == (frames, 3, 32, 32)


@pytest.mark.parametrize("size", [8, 31, 32, 50, 65])
@pytest.mark.parametrize("channels", [3, 4])
def test_any_size_stays_in_range_with_colour_within_alpha(size: int, channels: int) -> None:
    video = build(channels, references=1).generate(poses(2), size=size)
    assert video.shape == (2, channels, size, size)
    assert float(video.min()) >= 0
    assert float(video.max()) <= 1
    if channels == 4:
        assert bool((video[:, :3] <= video[:, 3:]).all())


def test_another_size_shows_the_same_picture() -> None:
    animator, pose = build(references=1), poses(1)
    small, large = animator.generate(pose), animator.generate(pose, size=64)
    # Shrunk again by averaging: the bicubic filter on noise-like frames leaves a tenth, a shifted picture a third.
    back = torch.nn.functional.avg_pool2d(large, 2)
    assert float((back - small).abs().mean()) < 0.3 * float((small.roll(1, -1) - small).abs().mean())


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"character": "nobody"}, "--character 'nobody' is not one of this animator's: mika, sora"),
        (
            {"expression": "angry"},
            "--expression 'angry': expression 'angry' is not one of: neutral, happy, sad",
        ),
        ({"expression": np.zeros((3, 2))}, r"expression array is \(3, 2\), expected \(2, 3\): neutral"),
        ({"pose": "motion:fly"}, "fly"),
        ({"pose": "nowhere"}, "--pose 'nowhere': expected STORE#clip_id, motion:NAME"),
        (
            {"pose": np.zeros((2, 14, 2))},
            r"pose array is \(2, 14, 2\), expected \[T, 25, 2\] for canonical25",
        ),
        ({"pose": np.zeros((0, 25, 2))}, "pose array is"),
        ({"pose": np.full((2, 25, 2), np.nan)}, "not a finite number"),
        ({"frames": 0}, "--frames 0"),
        ({"frames": -3, "pose": "motion:wave"}, "-3"),
        ({"size": 4}, "--size 4: expected 8 to 4096"),
        ({"size": 5000}, "--size 5000"),
    ],
)
def test_a_mistake_is_named(command: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        build().generate(**{"pose": poses(2), **command})


def test_a_pose_of_another_skeleton_is_refused() -> None:
    animator = build(skeleton=CHAIN14)
    with pytest.raises(
        UserError, match=r"'motion:wave' is of skeleton canonical25 \(25 joints\).*chain14 \(14"
    ):
        animator.generate("motion:wave", frames=2)
    sequence = PoseSequence(
        poses(2), np.ones((2, 25), np.float32), np.ones((2, 25), np.int64), 12, CANONICAL25
    )
    with pytest.raises(UserError, match="skeleton canonical25, not of chain14"):
        animator.generate(sequence)
    assert animator.generate(poses(2, joints=14)).shape == (2, 3, 32, 32)


def test_an_animator_without_labels_refuses_an_expression_and_works_without() -> None:
    animator = build(expressions=())
    assert animator.generate(poses(2)).shape == (2, 3, 32, 32)
    with pytest.raises(UserError, match="carry no expression labels"):
        animator.generate(poses(2), "happy")


def test_missing_joints_may_lie_anywhere_even_nowhere() -> None:
    animator = build(references=1)
    confidence = np.ones((2, 25), np.float32)
    confidence[:, 4] = 0
    known = PoseSequence(poses(2), confidence, np.ones((2, 25), np.int64), 12, CANONICAL25)
    lost = known.keypoints.copy()
    lost[:, 4] = np.nan
    made = animator.generate(replace(known, keypoints=lost))
    assert torch.equal(made, animator.generate(known))
    assert bool(made.isfinite().all())
    with pytest.raises(UserError, match="not a finite number"):
        animator.generate(replace(known, keypoints=lost, confidence=np.ones((2, 25), np.float32)))


def test_a_frame_in_which_nobody_was_found_is_made_too() -> None:
    nobody = PoseSequence(
        np.zeros((2, 25, 2), np.float32),
        np.zeros((2, 25), np.float32),
        np.ones((2, 25), np.int64),
        12,
        CANONICAL25,
    )
    assert bool(build(references=2).generate(nobody).isfinite().all())


def test_unlabelled_expressions_are_nan_in_an_array() -> None:
    animator, pose = build(), poses(2)
    unknown = animator.generate(pose, np.full((2, 3), np.nan))
    assert bool(unknown.isfinite().all())
    assert far(unknown, animator.generate(pose, np.zeros((2, 3))))


def test_a_folder_of_openpose_files_is_followed(tmp_path: Path) -> None:
    for t in range(3):
        points = [[100.0 + 20 * t, 50.0 + 20 * j, 0.9] for j in range(18)]
        person = {"pose_keypoints_2d": [v for point in points for v in point]}
        about = {"people": [person], "canvas_width": 512, "canvas_height": 512}
        (tmp_path / f"{t}.json").write_text(json.dumps(about))
    animator = build()
    video = animator.generate(str(tmp_path))
    assert video.shape == (3, 3, 32, 32)
    assert far(video[1], video[0])
    assert animator.generate(str(tmp_path), frames=7).shape[0] == 7


def test_a_motion_lasts_two_seconds_and_moves() -> None:
    animator = build(fps=6.0)
    video = animator.generate("motion:wave")
    assert len(video) == 12
    assert far(video[0], video[6])
    assert torch.equal(video, animator.generate("motion:wave"))


def test_a_character_without_reference_frames_is_made_from_nothing() -> None:
    domain = tiny_domain()
    only = {"mika": reference_frames(domain)["mika"]}
    animator = Animator(tiny_generator(domain, references=2), only, torch.device("cpu"))
    assert bool(animator.generate(poses(2), character="sora").isfinite().all())
    assert far(animator.generate(poses(2), character="sora"), animator.generate(poses(2), character="mika"))
