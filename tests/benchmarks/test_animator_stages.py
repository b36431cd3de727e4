"""The scripts that made the shipped animator: the face network's own stage, and the cast's reference frames."""

import sys
from pathlib import Path

import face_stage
import numpy as np
import pytest
import shipped_animator
import torch
from face_stage import cut_faces, train_faces
from shipped_animator import bank
from small_runs import puppet_store
from tiny_networks import random_batch, tiny_domain, tiny_generator, told

from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.inference.weights_file import load_generator, save_animator
from temporal_gan.models.face import cut_square, face_square
from temporal_gan.models.generator import Generator
from temporal_gan.models.reader_file import find_reader
from temporal_gan.puppet import CHARACTERS, PuppetSpec, render_clip

needs_reader = pytest.mark.skipif(
    not find_reader("loss").is_file(), reason="the package's reader is not here"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("faces") / "store", clips=4, frames=3, size=64)


def animator(seed: int = 0, **changes: object) -> Generator:
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS, characters=("hana", "miko"))
    values = {"size": 64, "references": 2, "identity": "references", "face_width": 4, "face_side": 32}
    return tiny_generator(domain, seed, **{**values, **changes})


def test_faces_are_what_the_face_network_meets_and_what_it_should_make(store: Store) -> None:
    generator = animator()
    face = generator.face
    faces = cut_faces(generator, store, 12, 0)
    assert generator.face is face
    assert faces.seen.shape == (12, 4 + 2 * 4, 32, 32)
    assert faces.real.shape == (12, 4, 32, 32)
    assert faces.told.shape == (12, 2 * len(EXPRESSIONS))
    data = ClipDataset(store, open_cache(store, 64), "train", 1, 0, 2, smallest_pool=1)
    for number in (0, 5, 11):
        item = data[number]
        assert face is not None
        assert face.joints is not None
        middle, reach, seen = face_square(item.keypoints[:, 0], item.confidence[:, 0], face.joints)
        assert bool(seen)
        torch.testing.assert_close(
            faces.real[number], cut_square(item.video[:, 0], middle, reach, 32)[0], rtol=0, atol=1e-5
        )
        torch.testing.assert_close(faces.expression[number], item.expression[0, 0])
        torch.testing.assert_close(faces.told[number, :14], item.expression[0, 0])
        warped = told(generator, item).warped
        assert warped is not None
        references = cut_square(warped[:, 0].flatten(1, 2), middle, reach, 32)[0]
        torch.testing.assert_close(faces.seen[number, 4:], references, rtol=0, atol=1e-4)
    # The frame as made before the face network had its turn, which is far from black paper.
    made = faces.seen[:, :4]
    assert 0.05 < float(made.std()) < 10
    assert not torch.allclose(made, faces.real, atol=0.1)


@needs_reader
def test_the_face_stage_brings_faces_nearer_to_the_real_ones(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_stage, "BATCH", 8)
    monkeypatch.setattr(face_stage, "RATE", 2e-2)
    face = animator(awake=False).face
    assert face is not None
    faces = cut_faces(animator(awake=False), store, 12, 0)
    # It begins by painting every face too bright.
    face.out.bias.fill_(0.3)  # type: ignore[union-attr]

    def error() -> float:
        with torch.no_grad():
            made = faces.seen[:, :4] + face.repaint(faces.seen, faces.told)
        return float((made - faces.real).abs().mean())

    before = error()
    assert before > 0.2
    train_faces(face.requires_grad_(True), faces, 64, 20, 0)
    assert error() < 0.6 * before


@needs_reader
def test_the_stage_changes_the_face_network_alone_and_gives_it_to_other_weights(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, trained_on = tmp_path / "first.safetensors", tmp_path / "on.safetensors"
    save_animator(first, animator(0), {})
    save_animator(trained_on, animator(1), {})
    made = {}
    for name, more in (("alone", []), ("into", ["--into", str(trained_on)])):
        out = tmp_path / f"{name}.safetensors"
        command = [
            "--animator",
            first,
            "--store",
            store.path,
            "--out",
            out,
            "--faces",
            12,
            "--steps",
            2,
            *more,
        ]
        monkeypatch.setattr(sys, "argv", ["face_stage.py", *map(str, command)])
        face_stage.main()
        made[name] = load_generator(out)[0].state_dict()
    old = {"alone": load_generator(first)[0].state_dict(), "into": load_generator(trained_on)[0].state_dict()}
    for name, weights in made.items():
        changed = {key for key, value in weights.items() if not torch.equal(value, old[name][key])}
        assert changed
        assert {key.split(".")[0] for key in changed} == {"face"}
        assert torch.equal(weights["face.out.weight"], made["alone"]["face.out.weight"])


def test_a_bank_is_neutral_frames_so_that_every_pose_is_near_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_animator, "MOTIONS", ("idle", "wave"))
    frames = bank("hana", 32, 3)
    assert frames["video"].shape == (3, 4, 32, 32)
    assert frames["video"].dtype == np.uint8
    assert frames["keypoints"].shape == (3, 25, 2)
    assert frames["confidence"].shape == frames["layer"].shape == (3, 25)
    shown = [
        render_clip(PuppetSpec("hana", motion, "neutral", seed, 32, 32))
        for motion in ("idle", "wave")
        for seed in (0, 1)
    ]
    poses, pictures = (np.concatenate([getattr(c, n)[::4] for c in shown]) for n in ("keypoints", "video"))
    for number in range(3):
        place = int(np.abs(poses - frames["keypoints"][number]).sum((1, 2)).argmin())
        assert np.array_equal(poses[place], frames["keypoints"][number])
        assert np.array_equal(pictures[place].transpose(2, 0, 1), frames["video"][number])
    away = ((poses[:, None] - frames["keypoints"][None]) ** 2).sum(-1).mean(-1)
    # One picture serves an idle body, but not a raised arm.
    assert away.min(1).mean() < 0.3 * away[:, 0].mean()


def test_the_shipped_file_is_the_runs_weights_with_the_cast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: CHARACTERS[name] for name in ("hana", "kon")}
    monkeypatch.setattr(shipped_animator, "CHARACTERS", few)
    monkeypatch.setattr(shipped_animator, "MOTIONS", ("idle",))
    run, out = tmp_path / "run.safetensors", tmp_path / "made" / "base.safetensors"
    save_animator(run, animator(size=32), {})
    monkeypatch.setattr(sys, "argv", ["x", "--run", str(run), "--out", str(out), "--frames", "2"])
    shipped_animator.main()
    generator, banks = load_generator(out)
    assert generator.domain.characters == tuple(banks) == ("hana", "kon")
    assert {len(frames["video"]) for frames in banks.values()} == {2}
    old = load_generator(run)[0].state_dict()
    assert all(torch.equal(value, old[name]) for name, value in generator.state_dict().items())
    batch = random_batch(generator.domain, 1, 2, references=2)
    assert generator(told(generator, batch), torch.zeros(1, 4))[0].isfinite().all()


def test_weights_that_are_tied_to_their_characters_are_not_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedding has a row for each character of the run, not for the cast: no one could read that file."""
    run, out = tmp_path / "run.safetensors", tmp_path / "base.safetensors"
    save_animator(run, animator(size=32, identity="both"), {})
    monkeypatch.setattr(sys, "argv", ["x", "--run", str(run), "--out", str(out)])
    with pytest.raises(UserError, match="model.identity is both"):
        shipped_animator.main()
    assert not out.exists()
