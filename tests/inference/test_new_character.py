"""Characters no network was trained on: pictures in, an animator of that character out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import call
from tiny_networks import CHAIN14, reference_frames, tiny_domain, tiny_generator

from temporal_gan.alpha import over_white, straighten
from temporal_gan.drawings import Drawings
from temporal_gan.errors import UserError
from temporal_gan.inference import weights_file
from temporal_gan.inference.animator import Animator, load_animator
from temporal_gan.inference.new_character import new_character
from temporal_gan.inference.weights_file import save_animator
from temporal_gan.labelled_pictures import read_labelled_pictures
from temporal_gan.models.conditioning import Domain
from temporal_gan.pose_files import PoseSequence
from temporal_gan.puppet import motion_keypoints, random_specs
from temporal_gan.puppet.clip import render_clip
from temporal_gan.skeletons import CANONICAL25, Skeleton
from temporal_gan.video_io import read_frames


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of a puppet on white paper, 48x64, with its joints; and an animator of others."""
    path = tmp_path_factory.mktemp("room")
    clip = render_clip(random_specs(1, 0, ("pipi",), ("idle",), ("neutral",), 1, 64)[0])
    Image.fromarray(over_white(clip.video)[0, :, 8:56]).save(path / "pipi.png")
    Image.fromarray(straighten(clip.video)[0]).save(path / "clear.png")
    rows = [
        f"{name},{x * 64 - 8.5:.2f},{y * 64 - 0.5:.2f}\n"
        for name, (x, y) in zip(CANONICAL25.joints, clip.keypoints[0].tolist(), strict=True)
    ]
    (path / "points.csv").write_text("".join(rows))
    save_animator(path / "base.safetensors", animator().generator, reference_frames(domain()))
    return path


def domain() -> Domain:
    return tiny_domain(channels=4)


def animator(awake: bool = False, **changes: object) -> Animator:
    """Untrained: what it makes is the references' warps, blended by pose."""
    values = {"references": 2, "identity": "references", **changes}
    generator = tiny_generator(domain(), awake=awake, **values)
    return Animator(generator, reference_frames(domain()), torch.device("cpu"))


def pipi(room: Path) -> Drawings:
    return read_labelled_pictures([room / "pipi.png"], [room / "points.csv"])


def test_pictures_are_cut_out_and_fitted_into_the_networks_frame(room: Path) -> None:
    found = new_character(pipi(room), 32, 4)
    video, points = found.frames["video"], found.frames["keypoints"]
    assert (video.shape, video.dtype, found.opaque) == ((1, 4, 32, 32), np.uint8, ())
    assert not video[:, :, :, :4].any()
    assert not video[:, 3, 0].any()
    assert (video[:, :3] <= video[:, 3:]).all()
    assert 0.05 < (video[:, 3] > 127).mean() < 0.6
    # Joints lie on the figure: 48x64 is centred in the square, and so are they.
    neck = (points[0, 1] * 32).astype(int)
    assert video[0, 3, neck[1], neck[0]] > 200
    np.testing.assert_allclose(points[0, 1, 0], 0.5, atol=0.1)


def test_a_picture_without_a_plain_page_stays_opaque_and_one_with_alpha_keeps_it(room: Path) -> None:
    drawings = pipi(room)
    noise = np.random.default_rng(0).integers(0, 256, drawings.pixels[0].shape, dtype=np.uint8)
    found = new_character(replace(drawings, pixels=(noise,)), 32, 4)
    assert found.opaque == ("pipi.png",)
    assert found.frames["video"][0, 3, :, 8:24].min() == 255
    clear = read_labelled_pictures([room / "clear.png"], [room / "points.csv"])
    kept = new_character(clear, 64, 4)
    np.testing.assert_array_equal(kept.frames["video"][0].transpose(1, 2, 0), clear.pixels[0])


def test_a_network_of_opaque_clips_gets_opaque_pictures(room: Path) -> None:
    assert new_character(pipi(room), 32, 3).frames["video"].shape == (1, 3, 32, 32)


def test_joints_move_with_the_picture_into_its_square() -> None:
    """A page of 40x20 into 32: half of its size, eight rows of nothing above and below."""
    points = np.array([[(0.0, 0.0), (1.0, 1.0), (0.25, 0.5), (0.5, 0.0)]], np.float32)
    skeleton = Skeleton("four", ("a", "b", "c", "d"), (), (), (0, 1, 2, 3))
    page = np.full((20, 40, 3), 255, np.uint8)
    page[:10, :20] = (200, 0, 0)
    confidence = np.array([[1.0, 1.0, 0.0, 0.5]], np.float32)
    drawings = Drawings((Path("a.png"),), skeleton, (page,), points, confidence)
    found = new_character(drawings, 32, 3)
    np.testing.assert_allclose(
        found.frames["keypoints"][0], [(0, 0.25), (1, 0.75), (0.25, 0.5), (0.5, 0.25)], atol=1e-6
    )
    assert found.frames["confidence"].tolist() == confidence.tolist()
    assert found.frames["layer"].tolist() == [[0, 1, 2, 3]]
    # The drawings themselves stay as they were.
    assert drawings.keypoints[0, 0].tolist() == [0, 0]
    shown = found.frames["video"][0]
    assert shown[:, 10, 5].tolist() == [200, 0, 0]
    assert shown[:, 10, 25].tolist() == shown[:, 22, 5].tolist() == [255, 255, 255]


def test_a_network_of_opaque_clips_shows_a_clear_picture_on_white(room: Path) -> None:
    clear = read_labelled_pictures([room / "clear.png"], [room / "points.csv"])
    assert clear.pixels[0].shape[-1] == 4
    found = new_character(clear, 64, 3)
    assert found.opaque == ()
    assert found.frames["video"][0, :, 0, 0].tolist() == [255, 255, 255]
    np.testing.assert_array_equal(found.frames["video"][0].transpose(1, 2, 0), over_white(clear.pixels[0]))


def test_in_its_own_pose_a_character_is_its_picture(room: Path) -> None:
    """An untrained network carries the reference where the pose is: nothing of the characters it knows shows."""
    made_by = animator().of(pipi(room))
    assert (made_by.characters, made_by.newcomer is not None) == (("reference",), True)
    bank = made_by.references["reference"]
    made = made_by.generate(bank["keypoints"])
    real = torch.from_numpy(bank["video"]).float() / 255
    assert (made - real).abs().mean() < 0.01
    assert torch.equal(animator().generate(bank["keypoints"], reference=pipi(room)), made)


def test_a_character_never_seen_has_index_minus_one(room: Path) -> None:
    """With learned characters too: none of theirs is taken for it."""
    made_by = animator(awake=True, identity="both").of(pipi(room))
    pose = motion_keypoints("pipi", "walk", 2, 12.0)[0]
    made = made_by.generate(pose)
    assert made_by.generator.character is not None
    made_by.generator.character.weight.add_(1.0)
    assert torch.equal(made_by.generate(pose), made)


def test_motions_take_on_its_proportions(room: Path) -> None:
    made_by = animator().of(pipi(room))
    pose = made_by._pose("motion:jump", "reference", 12, 0)
    own, other = (motion_keypoints(name, "jump", 12, 12.0)[0] for name in ("pipi", "hana"))
    shown = pose.confidence > 0
    errors = [np.linalg.norm(pose.keypoints - p, axis=-1)[shown].mean() for p in (own, other)]
    assert errors[0] < 0.03 < errors[1]


def test_another_skeleton_is_driven_by_its_own_poses_only(room: Path) -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform(0.2, 0.8, (1, 14, 2)).astype(np.float32)
    drawings = Drawings(
        (Path("lizard.png"),), CHAIN14, pipi(room).pixels, points, np.ones((1, 14), np.float32)
    )
    made_by = animator().of(drawings)
    layer = np.ones((3, 14), np.int64)
    moves = points + 0.05 * np.arange(3, dtype=np.float32)[:, None, None]
    pose = PoseSequence(moves, np.ones((3, 14), np.float32), layer, 12.0, CHAIN14)
    assert made_by.generate(pose).shape == (3, 4, 32, 32)
    with pytest.raises(UserError, match="is of skeleton canonical25 .25 joints., the animator of chain14"):
        made_by.generate("motion:walk")


def test_under_another_skeleton_nothing_that_was_learned_counts(room: Path) -> None:
    draw = np.random.default_rng(0)
    points = draw.uniform(0.2, 0.8, (1, 14, 2)).astype(np.float32)
    drawings = replace(
        pipi(room), skeleton=CHAIN14, keypoints=points, confidence=np.ones((1, 14), np.float32)
    )
    pose = PoseSequence(points, np.ones((1, 14), np.float32), np.ones((1, 14), np.int64), 12.0, CHAIN14)
    learned, fresh = animator(awake=True), animator(awake=True)
    fresh.generator.forget()
    assert torch.equal(learned.of(drawings).generate(pose), fresh.of(drawings).generate(pose))
    own = motion_keypoints("pipi", "walk", 2, 12.0)[0]
    assert not torch.equal(learned.of(pipi(room)).generate(own), fresh.of(pipi(room)).generate(own))


def test_a_skeleton_of_the_same_names_in_another_order_is_driven_by_motions(room: Path) -> None:
    order = [4, 3, 2, 1, 0, 5, 6, 7]
    skeleton = replace(
        CANONICAL25,
        name="half",
        joints=tuple(CANONICAL25.joints[j].replace("_", "-").title() for j in order),
        edges=((3, 4), (3, 2), (2, 1), (1, 0), (3, 5), (5, 6), (6, 7)),
        flip_pairs=(),
        layers=(1,) * 8,
    )
    whole = pipi(room)
    drawings = replace(
        whole, skeleton=skeleton, keypoints=whole.keypoints[:, order], confidence=whole.confidence[:, order]
    )
    pose = animator().of(drawings)._pose("motion:jump", "reference", 12, 0)
    own = motion_keypoints("pipi", "jump", 12, 12.0)[0][:, order]
    shown = pose.confidence > 0
    assert np.linalg.norm(pose.keypoints - own, axis=-1)[shown].mean() < 0.06


def test_what_cannot_animate_a_new_character(room: Path) -> None:
    with pytest.raises(UserError, match="carries nothing over from references"):
        animator(references=0, identity="embedding").of(pipi(room))
    drawings = replace(pipi(room), skeleton=CHAIN14)
    with pytest.raises(UserError, match="weights are tied to canonical25"):
        animator(joint_maps=True).of(drawings)


# The command


def test_the_command_and_the_shipped_animator(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(weights_file, "ANIMATORS", room)
    assert load_animator().characters == ("mika", "sora")
    assert call("generate", "--list-characters") == 0
    assert capsys.readouterr().out == "mika\nsora\n"
    out = tmp_path / "a.mkv"
    command = ("generate", "--pose", "motion:wave", "--frames", 3, "--out", out)
    assert call(*command, "--character", "sora") == 0
    known = read_frames(out).frames_u8
    assert call(*command, "--reference", room / "pipi.png", "--keypoints", room / "points.csv") == 0
    assert capsys.readouterr().out.endswith(f"{out}: 3 frames of 32x32\n")
    new = read_frames(out).frames_u8
    assert known.shape == new.shape == (3, 32, 32, 4)
    # The tiny animator's own characters are noise; the picture is a figure on nothing.
    assert (known[:, :4, :, 3] > 0).mean() > 0.5
    assert (new[:, :4, :, 3] > 0).mean() < 0.05


def test_a_picture_on_no_plain_page_is_said(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "busy.png")
    command = ("generate", "--animator", room / "base.safetensors", "--pose", "motion:wave", "--frames", 2)
    reference = ("--reference", tmp_path / "busy.png", "--keypoints", room / "points.csv")
    assert call(*command, *reference, "--out", tmp_path / "a.gif") == 0
    assert "busy.png: its background is not plain, so it moves with the figure\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--reference", "pipi.png"), "where are its joints? give --keypoints"),
        (("--keypoints", "points.csv"), "are of the pictures that --reference names"),
        (
            ("--reference", "pipi.png", "--keypoints", "points.csv", "--character", "mika"),
            "--reference and --character: give one",
        ),
    ],
)
def test_mistakes_of_the_command(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    named = [room / o if "." in o else o for o in options]
    command = ("generate", "--animator", room / "base.safetensors", "--pose", "motion:wave")
    assert call(*command, "--out", tmp_path / "a.gif", *named) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "a.gif").exists()
