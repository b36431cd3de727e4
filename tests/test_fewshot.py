"""A few labelled drawings to an animator: nothing is scaled, what was held out is made again, and a run goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import call
from tiny_networks import CHAIN14, reference_frames, tiny_domain, tiny_generator

from temporal_gan.alpha import over_white
from temporal_gan.checkpoint import list_checkpoints
from temporal_gan.config import load_config
from temporal_gan.data.drawing_store import lay_in_squares, write_drawing_store
from temporal_gan.data.store import Store
from temporal_gan.drawings import Drawings, read_animation, read_charactergan
from temporal_gan.errors import UserError
from temporal_gan.evaluation.held_out_drawings import nearest_warp, picture_scores
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.fewshot import FewShot
from temporal_gan.fewshot import _config as few_shot_config
from temporal_gan.fewshot import _side as side_of
from temporal_gan.fewshot import _store as few_shot_store
from temporal_gan.inference import weights_file
from temporal_gan.inference.animator import load_animator
from temporal_gan.inference.weights_file import save_animator
from temporal_gan.keying import cut_out
from temporal_gan.models.generator import GeneratorConfig
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.clip import render_clip
from temporal_gan.skeletons import CANONICAL25
from temporal_gan.video_io import read_frames, read_picture

WIDTH, HEIGHT, SIDE = 40, 51, 64


def write_folder(folder: Path, drawings: int = 4) -> Path:
    """Drawings of a puppet on white paper, 40x51, with their joints, and a list of three of them."""
    folder.mkdir(parents=True)
    clip = render_clip(random_specs(1, 0, ("pipi",), ("wave",), ("happy",), 8 * drawings, 51)[0])
    rows = []
    for number in range(drawings):
        picture, points = over_white(clip.video)[8 * number, :, 5:45], clip.keypoints[8 * number]
        Image.fromarray(picture).save(folder / f"Pose ({number}).png")
        rows += [
            f"{name},{x * 51 - 5.5:.2f},{y * 51 - 0.5:.2f},Pose ({number}).png\n"
            for name, (x, y) in zip(CANONICAL25.joints, points.tolist(), strict=True)
            if 6 < x * 51 < 45
        ]
    (folder / "keypoints.csv").write_text("".join(rows))
    (folder / "keypoints_skeleton.csv").write_text(
        "".join(
            ",".join([name, *(CANONICAL25.joints[b] for a, b in CANONICAL25.edges if a == number)]) + "\n"
            for number, name in enumerate(CANONICAL25.joints)
        )
    )
    (folder / "keypoints_layers.csv").write_text("".join(f"{name},1\n" for name in CANONICAL25.joints))
    (folder / "animation_list.txt").write_text("Pose (0).png\nPose (2).png\nPose (1).png\n")
    return folder


def stand_in(path: Path) -> Path:
    """As the shipped animator, but tiny and untrained: RGBA, canonical25 aside, references for identity."""
    domain = tiny_domain(channels=4, skeleton=CHAIN14, expressions=EXPRESSIONS)
    model = {"size": 64, "references": 3, "identity": "references"}
    save_animator(path, tiny_generator(domain, awake=False, **model), reference_frames(domain, size=64))
    return path


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``drawings``; ``run``: one step of training with a drawing held out, and a clip; ``said``: what was printed."""
    room = tmp_path_factory.mktemp("room")
    write_folder(room / "drawings")
    stand_in(room / "base.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights_file, "ANIMATORS", room)
        assert call(*command(room, "--animate", "animation_list.txt")) == 0
    return room


def command(room: Path, *more: object, steps: int = 1) -> tuple[object, ...]:
    return (
        "fewshot", room / "drawings", "--out", room / "run", "--hold-out", "Pose (3).png", "--steps", steps, *more,
    )  # fmt: skip


def test_drawings_lie_unscaled_in_the_store(room: Path) -> None:
    store, drawings = Store.open(room / "run" / "store"), read_charactergan(room / "drawings")
    assert (store.info.width, store.info.height, store.info.channels) == (SIDE, SIDE, 4)
    for row in store.clips:
        n = [f.name for f in drawings.files].index(row.source)
        square = store.frames(row.id)[0]
        left, top = (SIDE - WIDTH) // 2, (SIDE - HEIGHT) // 2
        inner = square[top : top + HEIGHT, left : left + WIDTH]
        np.testing.assert_array_equal(inner, cut_out(drawings.pixels[n]).picture_u8)
        assert square[..., 3].sum() == inner[..., 3].sum()
        pixels = store.labels(row.id).keypoints[0] * SIDE - (left, top)
        np.testing.assert_allclose(pixels, drawings.keypoints[n] * (WIDTH, HEIGHT), atol=1e-3)
    assert [row.source for row in store.split("test")] == ["Pose (3).png"]
    assert load_animator(room / "run").size == SIDE


def test_held_out_drawings_are_made_again_at_their_own_size(room: Path) -> None:
    folder = room / "run" / "held_out"
    assert sorted(f.name for f in folder.iterdir()) == ["Pose (3).png", "contact.png", "scores.json"]
    made, real = read_picture(folder / "Pose (3).png"), read_picture(room / "drawings" / "Pose (3).png")
    assert made.shape == real.shape == (HEIGHT, WIDTH, 3)
    contact = read_picture(folder / "contact.png")
    np.testing.assert_array_equal(contact, np.concatenate([real, made], axis=1))
    # One step from an untrained network is a blend of warps: the figure, on white paper.
    assert (made[:4] > 250).all()
    scores = json.loads((folder / "scores.json").read_text())["Pose (3).png"]
    tensors = (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 255 for p in (made, real))
    assert scores["made"] == pytest.approx(picture_scores(*tensors))
    assert set(scores) == {"made", "limb warp", "layered warp"}
    assert 10 < scores["limb warp"]["psnr"] < 40


def test_the_clip_moves_through_the_listed_drawings(room: Path) -> None:
    clip = read_frames(room / "run" / "animation.gif").frames_u8
    assert clip.shape == (17, HEIGHT, WIDTH, 3)
    assert read_frames(room / "run" / "animation.mp4").frames_u8.shape == (17, HEIGHT + 1, WIDTH, 3)
    # At a listed drawing that was trained on, nearly that drawing: nothing is scaled or shifted.
    for frame, name in ((0, "Pose (0).png"), (8, "Pose (2).png"), (16, "Pose (1).png")):
        real = read_picture(room / "drawings" / name).astype(int)
        near = np.abs(clip[frame] - real).mean()
        shifted = min(np.abs(np.roll(clip[frame], 1, axis) - real).mean() for axis in (0, 1))
        assert near < 0.6 * shifted


def test_repeating_the_command_goes_on(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(room, tmp_path, dirs_exist_ok=True)
    start = ("--start", tmp_path / "base.safetensors")
    (tmp_path / "run" / "held_out" / "Pose (3).png").unlink()
    assert call(*command(tmp_path, *start, steps=2)) == 0
    out = capsys.readouterr().out
    assert "going on from step 1" in out
    assert "trained 2 steps" in out
    lines = [
        line.split() for line in out.splitlines() if line.startswith(("held out", "made ", "limb", "layered"))
    ]
    assert lines[0] == [
        "held",
        "out",
        "psnr",
        "ssim",
        "foreground_psnr",
        "foreground_ssim",
        "sharpness_ratio",
    ]
    assert [line[:-5] for line in lines[1:4]] == [["made"], ["limb", "warp"], ["layered", "warp"]]
    assert (tmp_path / "run" / "held_out" / "Pose (3).png").is_file()
    assert [step for step, _ in list_checkpoints(tmp_path / "run" / "checkpoints")] == [1, 2]


def test_a_run_of_other_drawings_or_another_start_is_refused(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(room, tmp_path, dirs_exist_ok=True)
    start = ("--start", tmp_path / "base.safetensors", "--quiet")
    assert call(*command(tmp_path, "--hold-out", "Pose (1).png", *start)) == 2
    assert "was begun with other drawings, other labels or another --hold-out" in capsys.readouterr().err
    other = tiny_domain(channels=4, characters=("z",), expressions=EXPRESSIONS)
    model = {"size": 64, "references": 3, "identity": "references"}
    save_animator(tmp_path / "other.safetensors", tiny_generator(other, **model), {})
    assert call(*command(tmp_path, "--start", tmp_path / "other.safetensors", "--quiet", steps=2)) == 2
    assert "this run was started from other weights" in capsys.readouterr().err
    table = tmp_path / "drawings" / "keypoints.csv"
    table.write_text(table.read_text().replace("nose,2", "nose,1", 1))
    assert call(*command(tmp_path, *start)) == 2
    assert "was begun with other drawings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "100"), "--size 100: expected native, or one of 64, 128, 256"),
        (("--size", "small"), "--size 'small': expected native, or a number of pixels"),
        (("--animate", "nothing.txt"), "nothing.txt: no such file"),
        (("--animate", "wrong.txt"), "wrong.txt:1: no drawing 'Pose (9).png'"),
        (("--hold-out", "Pose (9).png"), "--hold-out: no drawing 'Pose (9).png'"),
        (("--start", "nothing.safetensors"), "nothing.safetensors: no such weights file"),
    ],
)
def test_mistakes_are_found_before_any_training(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    shutil.copytree(room / "drawings", tmp_path / "drawings")
    (tmp_path / "drawings" / "wrong.txt").write_text("Pose (9).png\n")
    start = ("--start", room / "base.safetensors")
    assert call(*command(tmp_path, *start, *options)) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_network_smaller_than_the_drawings_and_from_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drawings larger than the network's frames are scaled for it, and written back at their size, opaque where their
    page is not plain."""
    write_folder(tmp_path / "drawings", 3)
    for file in (tmp_path / "drawings").glob("*.png"):
        large = np.random.default_rng(0).integers(0, 256, (HEIGHT, 80, 3), dtype=np.uint8)
        large[:, :WIDTH] = read_picture(file)
        Image.fromarray(large).save(file)
    run = tmp_path / "run"
    options = ("--size", "64", "--start", "none", "--steps", 1, "--hold-out", "Pose (1).png")
    assert call("fewshot", tmp_path / "drawings", "--out", run, *options) == 0
    said = capsys.readouterr().out
    assert "the network works at 64 pixels: drawings of up to 128 are scaled down for it" in said
    assert "Pose (0).png: its background is not plain, so it moves with the figure" in said
    assert read_picture(run / "held_out" / "Pose (1).png").shape == (HEIGHT, 80, 3)
    assert Store.open(run / "store").info.width == 128
    assert load_animator(run).size == 64
    assert load_animator(run).expressions == ()


@pytest.mark.parametrize("recipe", ["fewshot128", "fewshot256"])
def test_recipes_are_of_one_architecture(recipe: str) -> None:
    """So that the same weights start both: only keys without weights differ."""
    model = load_config(recipe, [], ExperimentConfig).model
    first = load_config("fewshot128", [], ExperimentConfig).model
    assert isinstance(model, GeneratorConfig)
    assert isinstance(first, GeneratorConfig)
    same = {"size": model.size, "network_size": model.network_size}
    assert first.model_copy(update=same) == model
    assert model.inner_size == model.size // 2


# Its parts


def test_squares_hold_drawings_of_any_size(tmp_path: Path) -> None:
    drawings = read_charactergan(write_folder(tmp_path / "drawings", 1))
    squares = lay_in_squares(replace(drawings, pixels=(cut_out(drawings.pixels[0]).picture_u8,)), 101)
    assert squares.pixels[0].shape == (101, 101, 4)
    np.testing.assert_allclose(
        squares.keypoints[0] * 101 - (30, 25), drawings.keypoints[0] * (WIDTH, HEIGHT), atol=1e-3
    )


def test_an_animation_lies_where_the_drawings_lie(tmp_path: Path) -> None:
    """In a square of any side, to the pixel; without one, in the drawing's own."""
    folder = write_folder(tmp_path / "drawings")
    drawings = read_charactergan(folder)
    rgba = replace(drawings, pixels=tuple(cut_out(p).picture_u8 for p in drawings.pixels))
    write_drawing_store(lay_in_squares(rgba, SIDE), tmp_path / "store")
    store = Store.open(tmp_path / "store")
    moves = read_animation(folder / "animation_list.txt", SIDE)
    for frame, number in ((0, 0), (8, 2), (16, 1)):
        labels = store.labels(f"Pose_{number}")
        known = moves.confidence[frame] > 0
        np.testing.assert_allclose(moves.keypoints[frame, known], labels.keypoints[0, known], atol=1e-5)
    own = read_animation(folder / "animation_list.txt")
    known = own.confidence[0] > 0
    expected = (drawings.keypoints[0] * (WIDTH, HEIGHT) + (5, 0)) / HEIGHT
    np.testing.assert_allclose(own.keypoints[0, known], expected[known], atol=1e-5)


def test_the_bare_warp_of_a_drawing_in_its_own_pose_is_that_drawing(room: Path) -> None:
    store = Store.open(room / "run" / "store")
    row = store.split("train")[0]
    real = torch.from_numpy(store.frames(row.id)).permute(0, 3, 1, 2).float() / 255
    for layered in (False, True):
        made = nearest_warp(store, layered)(row)
        assert made.shape == (1, 4, SIDE, SIDE)
        assert (made - real).abs().mean() < 0.01
    # A held-out drawing is not among those it is made from.
    held_out = store.split("test")[0]
    other = torch.from_numpy(store.frames(held_out.id)).permute(0, 3, 1, 2).float() / 255
    assert (nearest_warp(store, False)(held_out) - other).abs().mean() > 0.005


# The store in the run's folder


def squares(folder: Path) -> Drawings:
    drawings = read_charactergan(folder)
    cut = tuple(cut_out(pixels).picture_u8 for pixels in drawings.pixels)
    return lay_in_squares(replace(drawings, pixels=cut), SIDE)


def test_the_store_is_whole_or_not_there(room: Path, tmp_path: Path) -> None:
    """What a run that was killed left half-written is written anew, and nothing is left beside it."""
    wanted, laid = FewShot(room / "drawings", tmp_path / "run", ("Pose (3).png",)), squares(room / "drawings")
    (wanted.out / "store.partial" / "video").mkdir(parents=True)
    (wanted.out / "store.partial" / "store.json").write_text("{")
    store = few_shot_store(wanted, laid)
    assert [row.source for row in store.split("test")] == ["Pose (3).png"]
    assert sorted(f.name for f in wanted.out.iterdir()) == ["store"]
    written = (wanted.out / "store" / "store.json").stat().st_mtime_ns
    again = few_shot_store(wanted, laid)
    assert again.info.content_hash == store.info.content_hash
    assert sorted(f.name for f in wanted.out.iterdir()) == ["store"]
    assert (wanted.out / "store" / "store.json").stat().st_mtime_ns == written


@pytest.mark.parametrize("what", ["picture", "label", "confidence", "held out", "one less"])
def test_a_store_of_anything_else_is_refused_and_stays(room: Path, tmp_path: Path, what: str) -> None:
    wanted, laid = FewShot(room / "drawings", tmp_path / "run", ("Pose (3).png",)), squares(room / "drawings")
    before = few_shot_store(wanted, laid).info
    pixels, points, sure = [p.copy() for p in laid.pixels], laid.keypoints.copy(), laid.confidence.copy()
    if what == "picture":
        pixels[1][30, 30] ^= 1
    points[1, 5, 0] += 0.01 * (what == "label")
    sure[1, 5] = 1 - sure[1, 5] if what == "confidence" else sure[1, 5]
    other = replace(laid, pixels=tuple(pixels), keypoints=points, confidence=sure)
    if what == "held out":
        wanted = replace(wanted, hold_out=("Pose (2).png",))
    if what == "one less":
        other = replace(
            other, files=other.files[1:], pixels=other.pixels[1:], keypoints=points[1:], confidence=sure[1:]
        )
    with pytest.raises(UserError, match="was begun with other drawings, other labels or another --hold-out"):
        few_shot_store(wanted, other)
    assert sorted(f.name for f in wanted.out.iterdir()) == ["store"]
    assert Store.open(wanted.out / "store").info == before


def test_the_network_is_the_starts_at_the_drawings_size_and_the_recipes_inner_one(room: Path) -> None:
    start = load_animator(room / "base.safetensors").generator.config
    recipe = load_config("fewshot128", ["model.size=128"], ExperimentConfig).model
    assert start.network_size is None
    assert recipe.network_size == 64
    wanted = FewShot(room / "drawings", room / "x", start=str(room / "base.safetensors"), steps=7)
    made = few_shot_config(wanted, 128)
    assert made.model == start.model_copy(update={"size": 128, "network_size": 64})
    assert made.train.steps == 7
    assert few_shot_config(replace(wanted, start=None), 128).model == recipe


@pytest.mark.parametrize(
    ("largest", "side"), [(20, 64), (64, 64), (65, 128), (128, 128), (512, 512), (700, 700)]
)
def test_drawings_lie_in_the_smallest_square_that_holds_all(room: Path, largest: int, side: int) -> None:
    drawings = read_charactergan(room / "drawings")
    pixels = (np.zeros((10, largest, 3), np.uint8), np.zeros((largest, 12, 3), np.uint8))
    assert side_of(replace(drawings, pixels=pixels)) == side
