"""``temporal-gan generate``: every output format and option, by a network and not by the puppet."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from person_bvh import walking, write_bvh
from small_runs import CLIP_GAN, call, config, puppet_store

from temporal_gan.alpha import over_white
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.inference.animator import load_animator
from temporal_gan.inference.weights_file import ANIMATOR_FILE
from temporal_gan.puppet import clip as puppet_clip
from temporal_gan.training.run import train
from temporal_gan.video_io import Frames, read_frames, write_frames


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store")


@pytest.fixture(scope="module")
def trained(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    cfg = config(CLIP_GAN, train__steps=4, train__preview_every_steps=100, data__augment={})
    train(cfg, store.path, out, quiet=True)
    return out


@pytest.fixture(scope="module")
def opaque(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on clips without alpha, with its store beside it."""
    room = tmp_path_factory.mktemp("opaque")
    puppet = puppet_store(room / "puppet", clips=1, frames=4)
    info = puppet.info
    with StoreWriter(room / "store", info.skeleton, info.expressions, 12.0, (32, 32), 3) as writer:
        for row in puppet.clips:
            writer.add_clip(row, over_white(puppet.frames(row.id)), puppet.labels(row.id))
    train(config(CLIP_GAN, train__steps=1, losses__flow_weight=0.0), room / "store", room / "run", quiet=True)
    return room / "run"


def generate(animator: Path, out: Path, *more: object, pose: str = "motion:wave") -> Frames:
    assert call("generate", "--animator", animator, "--pose", pose, "--out", out, "--quiet", *more) == 0
    return read_frames(out)


def on_white(frames: np.ndarray) -> np.ndarray:
    return over_white(frames).astype(np.int64)


@pytest.mark.parametrize(
    ("name", "channels", "loss"),
    [
        ("a", 4, 0), ("a.apng", 4, 0), ("a.mkv", 4, 0), ("a.webm", 4, 12), ("a.gif", 4, 12), ("a.webp", 4, 12),
        ("a.mp4", 3, 12),
    ],
)  # fmt: skip
def test_every_format_holds_the_same_clip(
    trained: Path, tmp_path: Path, name: str, channels: int, loss: float
) -> None:
    exact = generate(trained, tmp_path / "exact.mkv", "--frames", 5).frames_u8
    assert 0 < exact[..., 3].mean() < 255
    got = generate(trained, tmp_path / name, "--frames", 5)
    assert got.frames_u8.shape == (5, 32, 32, channels)
    difference = np.abs(on_white(got.frames_u8) - on_white(exact))
    assert difference.mean() <= loss
    if channels == 4 and loss == 0:
        assert np.array_equal(got.frames_u8, exact)
    elif channels == 4:
        # 1-bit in a .gif, lossy in .webm.
        assert ((got.frames_u8[..., 3] > 127) == (exact[..., 3] > 127)).mean() > 0.95


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webm", "a.webp", "a"])
def test_the_same_arguments_give_the_same_bytes(trained: Path, tmp_path: Path, name: str) -> None:
    def content(folder: str, *more: object) -> bytes:
        out = tmp_path / folder / name
        generate(trained, out, "--frames", 3, "--expression", "happy>sad", *more)
        files = sorted(out.iterdir()) if out.is_dir() else [out]
        return b"".join(f.read_bytes() for f in files)

    first = content("first")
    assert content("second") == first
    assert content("third", "--seed", 1) != first


@pytest.mark.parametrize("size", [8, 31, 33, 50, 128])
def test_any_size(trained: Path, tmp_path: Path, size: int) -> None:
    assert generate(trained, tmp_path / "a.gif", "--frames", 2, "--size", size).frames_u8.shape[1:3] == (
        size,
        size,
    )
    even = size + size % 2  # H.264 knows no odd sizes
    assert generate(trained, tmp_path / "a.mp4", "--frames", 2, "--size", size).frames_u8.shape == (
        2,
        even,
        even,
        3,
    )


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webm", "a.png", "a"])
def test_one_frame(trained: Path, tmp_path: Path, name: str) -> None:
    assert len(generate(trained, tmp_path / name, "--frames", 1).frames_u8) == 1


def test_a_long_clip_begins_as_a_short_one(trained: Path, store: Store, tmp_path: Path) -> None:
    """Made in pieces, with the state carried over; its length does not depend on the training's window."""
    pose = f"{store.path}#{next(iter(store.clips)).id}"
    long = generate(trained, tmp_path / "long.mkv", "--frames", 70, pose=pose).frames_u8
    short = generate(trained, tmp_path / "short.mkv", "--frames", 8, pose=pose).frames_u8
    assert len(long) == 70
    # References are chosen to suit the whole clip; 8 frames of pose there and back are 70 frames of the same poses.
    assert np.abs(long[:8].astype(np.int64) - short).max() <= 1
    assert len({frame.tobytes() for frame in long}) > 7


def test_length_and_speed(trained: Path, store: Store, tmp_path: Path) -> None:
    two_seconds = generate(trained, tmp_path / "a.mp4")
    assert len(two_seconds.frames_u8) == 2 * store.info.fps
    assert two_seconds.fps == pytest.approx(store.info.fps)
    slow = generate(trained, tmp_path / "b.mp4", "--frames", 6, "--fps", 8)
    assert (len(slow.frames_u8), slow.fps) == (6, pytest.approx(8))


def test_every_character_and_expression_looks_its_own(trained: Path, store: Store, tmp_path: Path) -> None:
    seen = {}
    for name in store.info.characters:
        for expression in ("neutral", "happy", "sad:0.5", "happy>sad"):
            clip = generate(
                trained, tmp_path / "a.mkv", "--frames", 3, "--character", name, "--expression", expression,
                pose=f"{store.path}#{next(iter(store.clips)).id}",
            )  # fmt: skip
            assert clip.frames_u8.shape == (3, 32, 32, 4)
            seen[name, expression] = clip.frames_u8.tobytes()
    assert len(set(seen.values())) == len(seen)


def test_the_seed_is_also_the_clips_noise(trained: Path, store: Store, tmp_path: Path) -> None:
    """Not only a motion's variation: here the pose is given."""
    pose = f"{store.path}#{next(iter(store.clips)).id}"
    clips = [generate(trained, tmp_path / "a.mkv", "--seed", seed, pose=pose).frames_u8 for seed in (0, 1, 0)]
    assert np.array_equal(clips[0], clips[2])
    assert not np.array_equal(clips[0], clips[1])


def test_an_expression_over_time_from_a_file(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "face.csv").write_text("time,happy,sad\n0,0,1\n0.1,1,0\n")
    by_file = generate(
        trained, tmp_path / "a.mkv", "--frames", 3, "--expression", tmp_path / "face.csv"
    ).frames_u8
    assert not np.array_equal(by_file, generate(trained, tmp_path / "b.mkv", "--frames", 3).frames_u8)


def test_poses_from_a_bvh_file_of_any_rate(trained: Path, tmp_path: Path) -> None:
    rotations, root = walking(61, 120.0)
    file = write_bvh(tmp_path / "walk.BVH", rotations, root, 61, 120.0)
    frames = generate(trained, tmp_path / "a.gif", pose=str(file))
    # Half a second, at the rate the network was trained for.
    assert len(frames.frames_u8) == 1 + round(0.5 * load_animator(trained, "cpu").fps)
    assert np.abs(np.diff(on_white(frames.frames_u8), axis=0)).max() > 0
    assert len(generate(trained, tmp_path / "b.gif", "--frames", 20, pose=str(file)).frames_u8) == 20


def test_poses_from_openpose_files(trained: Path, store: Store, tmp_path: Path) -> None:
    labels = store.labels(next(iter(store.clips)).id)
    folder = tmp_path / "poses"
    folder.mkdir()
    for t in range(4):
        body = np.concatenate([labels.keypoints[t, :18] * 100, labels.confidence[t, :18, None]], axis=1)
        person = {"pose_keypoints_2d": body.flatten().tolist()}
        frame = {"people": [person], "canvas_width": 100, "canvas_height": 100}
        (folder / f"frame_{t}.json").write_text(json.dumps(frame))
    assert len(generate(trained, tmp_path / "a.gif", pose=str(folder)).frames_u8) == 4


# Backgrounds


def test_backgrounds(trained: Path, tmp_path: Path) -> None:
    exact = generate(trained, tmp_path / "none.mkv", "--frames", 2).frames_u8
    white = generate(trained, tmp_path / "white.mkv", "--frames", 2, "--background", "white").frames_u8
    assert white.shape[-1] == 3
    assert np.abs(white.astype(np.int64) - on_white(exact)).max() <= 1
    behind = np.zeros((1, 20, 40, 3), np.uint8)
    behind[..., 0], behind[:, :, 20:, 2] = 200, 100
    write_frames(tmp_path / "behind.png", behind, 1.0)
    picture = generate(
        trained, tmp_path / "p.mkv", "--frames", 2, "--background", tmp_path / "behind.png"
    ).frames_u8
    alpha = exact[..., 3:].astype(np.float64) / 255
    # The middle 20x20 of the 40x20 picture, twice as large; away from the seam it is flat.
    for part, colour in ((np.s_[:, :, :12], (200, 0, 0)), (np.s_[:, :, 20:], (200, 0, 100))):
        expected = exact[part][..., :3] + (1 - alpha[part]) * colour
        assert np.abs(picture[part] - expected).max() <= 2


def test_clips_without_alpha(opaque: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for background in ("none", "white"):
        made = generate(opaque, tmp_path / "a.mkv", "--frames", 2, "--background", background)
        assert made.frames_u8.shape == (2, 32, 32, 3)
    write_frames(tmp_path / "b.png", np.zeros((1, 4, 4, 3), np.uint8), 1.0)
    options = ("--pose", "motion:wave", "--out", tmp_path / "a.gif", "--background", tmp_path / "b.png")
    assert call("generate", "--animator", opaque, *options) == 2
    assert "this animator was trained on clips without alpha" in capsys.readouterr().err


# Names, and who makes the pixels


def test_list_characters(trained: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("generate", "--animator", trained, "--list-characters") == 0
    assert capsys.readouterr() == ("".join(f"{name}\n" for name in store.info.characters), "")


def test_what_was_made_is_said(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.gif"
    options = ("--pose", "motion:walk", "--out", out, "--frames", 2, "--size", 40)
    assert call("generate", "--animator", trained, *options) == 0
    assert capsys.readouterr() == (f"{out}: 2 frames of 40x40\n", "")


def test_the_file_alone_is_enough(trained: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes((trained / ANIMATOR_FILE).read_bytes())
    from_run = generate(trained, tmp_path / "a.mkv", "--frames", 2).frames_u8
    assert np.array_equal(generate(elsewhere, tmp_path / "b.mkv", "--frames", 2).frames_u8, from_run)


def edited(source: Path, target: Path, part: str) -> Path:
    """The weights file with every weight 0, or with other reference frames."""
    with safetensors.safe_open(source, "pt") as file:
        about = file.metadata()
    tensors = safetensors.torch.load_file(source)
    for name, tensor in tensors.items():
        if part == "weights" and not name.startswith("reference."):
            tensor.zero_()
        elif part == "references" and name.endswith(".video"):
            tensor.copy_(torch.flip(tensor, (0, 2)))
    safetensors.torch.save_file(tensors, target, about)
    return target


@pytest.mark.parametrize("part", ["weights", "references"])
def test_the_pixels_come_from_the_weights_file(trained: Path, tmp_path: Path, part: str) -> None:
    made = generate(trained, tmp_path / "a.mkv", "--frames", 2).frames_u8
    other = edited(trained / ANIMATOR_FILE, tmp_path / "other.safetensors", part)
    changed = generate(other, tmp_path / "b.mkv", "--frames", 2).frames_u8
    assert (on_white(made) != on_white(changed)).mean() > 0.05


def test_the_puppet_draws_nothing_here(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("generate rendered a puppet")

    expected = generate(trained, tmp_path / "a.mkv", "--frames", 2).frames_u8
    for name in ("draw_video", "render_clip"):
        monkeypatch.setattr(puppet_clip, name, refuse)
    assert np.array_equal(generate(trained, tmp_path / "b.mkv", "--frames", 2).frames_u8, expected)
