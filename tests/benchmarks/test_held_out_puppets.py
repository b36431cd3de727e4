"""Held-out puppets: strangers are told by pictures alone, the warp is a warp, and overlaps are where limbs cross."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from held_out_puppets import FROZEN, LAYERED, REAL, Group, run_trial
from limb_overlap import against_warp, overlap_mask, overlap_psnr
from puppet_trials import PICTURES, SCORED, BareWarp, Trial, real_clips, reference_pictures, with_strangers
from tiny_networks import reference_frames, tiny_domain, tiny_generator

from temporal_gan.batch import composite_on_white
from temporal_gan.data.clips import with_nearest_references
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.evaluation.clip_pairs import ClipPair
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.inference.animator import Animator
from temporal_gan.inference.pose_source import store_pose
from temporal_gan.metrics import paired
from temporal_gan.models.reader_file import find_reader
from temporal_gan.skeletons import CANONICAL25

STRANGERS = ("sample:31000000", "sample:31000001")
TRIAL = Trial(STRANGERS, ("run",), clips=2, frames=4, size=48, fps=12.0, pictures=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return TRIAL.store(tmp_path_factory.mktemp("trial") / "store")


def animator(store: Store, **changes: object) -> Animator:
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS, characters=("hana", "miko"))
    generator = tiny_generator(domain, references=3, **changes)
    return Animator(generator, reference_frames(domain), torch.device("cpu"))


def test_reference_pictures_come_from_other_clips_than_the_scored(store: Store) -> None:
    pictures = reference_pictures(store, 2)
    assert set(pictures) == set(STRANGERS)
    scored = [store.frames(row.id) for row in store.split(SCORED)]
    assert len(scored) == TRIAL.clips
    for bank in pictures.values():
        assert bank["video"].shape == (2, 4, 48, 48)
        assert bank["video"].any()
        for picture in bank["video"].transpose(0, 2, 3, 1):
            assert not any((picture == frame).all() for clip in scored for frame in clip)
    one = reference_pictures(store, 1)[STRANGERS[0]]
    assert np.array_equal(one["video"][0], pictures[STRANGERS[0]]["video"][0])


def test_a_motion_of_the_pictures_cannot_be_held_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="idle"):
        replace(TRIAL, motions=("run", PICTURES[0][0])).store(tmp_path / "store")


@pytest.mark.parametrize("identity", ["embedding", "references", "both"])
def test_a_stranger_is_what_the_network_makes_of_character_minus_one(store: Store, identity: str) -> None:
    known = animator(store, identity=identity)
    pictures = reference_pictures(store, 2)
    stranger = with_strangers(known, pictures)
    row = store.split(SCORED)[0]
    pose, face = store_pose(store, row.id), store.labels(row.id).expression
    made = stranger.generate(pose, face, row.character)
    # The same by hand, from the network that never heard of that name.
    batch = stranger._batch(pose, face, row.character)
    batch = replace(batch, character=torch.tensor([-1]))
    sized = stranger.references[row.character]
    assert sized["video"].shape == (2, 4, 32, 32)
    batch = with_nearest_references(batch, sized, 3)
    noise = torch.zeros(1, 4)
    by_hand, _ = known.generator(known.generator.tell(batch), noise)
    named, _ = stranger.generator(
        stranger.generator.tell(replace(batch, character=torch.tensor([stranger.characters.index(row.character)]))),
        noise,
    )  # fmt: skip
    assert torch.equal(by_hand, named)
    assert made.shape == (4, 4, 32, 32)
    other = stranger.generate(pose, face, next(name for name in STRANGERS if name != row.character))
    assert not torch.allclose(made, other)


def test_who_is_no_stranger_is_refused(store: Store) -> None:
    pictures = reference_pictures(store, 1)
    with pytest.raises(UserError, match="hana is no stranger"):
        with_strangers(animator(store), {"hana": pictures[STRANGERS[0]]})
    alone = tiny_generator(tiny_domain(channels=4, expressions=EXPRESSIONS), references=0)
    with pytest.raises(UserError, match="without reference pictures"):
        with_strangers(Animator(alone, {}, torch.device("cpu")), pictures)


@pytest.mark.parametrize("layered", [False, True])
def test_the_bare_warp_to_a_pictures_own_pose_is_that_picture(store: Store, layered: bool) -> None:
    pictures = reference_pictures(store, 2)
    warp = BareWarp(pictures, CANONICAL25, EXPRESSIONS, layered)
    clip = store_pose(store, store.split(SCORED)[0].id)
    for who, bank in pictures.items():
        pose = replace(
            clip, **{name: bank[name][::-1].copy() for name in ("keypoints", "confidence", "layer")}
        )
        made = warp.generate(pose, None, who, size=48)
        real = torch.from_numpy(bank["video"][::-1].copy()).float() / 255
        assert made.shape == (2, 4, 48, 48)
        # Layers are blended by nearness, which softens edges a little even where nothing moves.
        assert (made - real).abs().mean() < (0.02 if layered else 1e-4)


def cross(layers: tuple[int, int, int, int], confidence: tuple[float, ...] = (1.0,) * 4) -> torch.Tensor:
    """Two limbs that cross in the middle of 64 pixels, an upright one and a lying one."""
    points = torch.tensor([[[0.5, 0.1], [0.5, 0.9], [0.1, 0.5], [0.9, 0.5]]])
    return overlap_mask(points, torch.tensor([confidence]), torch.tensor([layers]), ((0, 1), (2, 3)), 64)


def test_an_overlap_is_where_limbs_of_two_layers_cross() -> None:
    found = cross((0, 0, 2, 2))
    assert found.shape == (1, 1, 64, 64)
    rows, columns = found[0, 0].nonzero().T
    # Nearer than 1.92 pixels to both middle lines: a square of 4 around the middle.
    assert (int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())) == (30, 33, 30, 33)
    assert len(rows) == 16
    assert not cross((1, 1, 1, 1)).any()
    assert not cross((0, 0, 2, 2), (1, 1, 1, 0)).any()


def test_a_stub_is_no_limb() -> None:
    points = torch.tensor([[[0.5, 0.1], [0.5, 0.9], [0.48, 0.5], [0.52, 0.5]]])
    layers = torch.tensor([[0, 0, 2, 2]])
    assert not overlap_mask(points, torch.ones(1, 4), layers, ((0, 1), (2, 3)), 64).any()


def test_limbs_that_meet_in_a_joint_are_no_overlap() -> None:
    points = torch.tensor([[[0.5, 0.1], [0.5, 0.9], [0.9, 0.9]]])
    layers = torch.tensor([[0, 1, 2]])
    assert not overlap_mask(points, torch.ones(1, 3), layers, ((0, 1), (1, 2)), 64).any()


def white(pair: ClipPair) -> torch.Tensor:
    return composite_on_white(pair.real)[None]


def test_errors_are_counted_where_they_are(store: Store) -> None:
    for pair in real_clips(store):
        labels = store.labels(pair.clip_id)
        mask = overlap_mask(
            pair.keypoints, pair.confidence, torch.from_numpy(labels.layer).long(), CANONICAL25.edges, 48
        )
        assert mask.any()
        perfect = overlap_psnr(pair, store)
        assert perfect["overlap_psnr"] == perfect["elsewhere_psnr"] == 100
        assert 0.01 < perfect["overlap_share"] < 0.5
        # One frame is wrong by 0.1 in every colour: 20 dB there, less the more other frames have overlaps.
        wrong = pair.made.clone()
        frame = int(mask.flatten(1).sum(1).argmax())
        wrong[frame, :3] += 0.1 * (wrong[frame, :3] < 0.5) - 0.1 * (wrong[frame, :3] >= 0.5)
        opaque = (pair.made[:, 3:] >= 1) & mask
        spoiled = overlap_psnr(replace(pair, made=torch.where(opaque, wrong, pair.made)), store)
        share = float(
            opaque[frame].sum() / mask[paired.union_foreground(white(pair), pair.real[None])[0]].sum()
        )
        assert spoiled["overlap_psnr"] == pytest.approx(20 - 10 * np.log10(share), abs=0.05)
        assert spoiled["elsewhere_psnr"] == 100
    standing = replace(pair, keypoints=torch.zeros_like(pair.keypoints))
    assert "overlap_psnr" not in overlap_psnr(standing, store)


def test_where_the_warp_is_better_is_said() -> None:
    warp = {f"c{i}": {"overlap_psnr": 20.0, "elsewhere_psnr": 20.0} for i in range(4)}
    made = {f"c{i}": {"overlap_psnr": 19.0 if i < 2 else 24.0, "elsewhere_psnr": 21.0} for i in range(4)}
    who = {f"c{i}": f"who{i}" for i in range(4)}
    motions = {"c0": "run", "c1": "run", "c2": "wave", "c3": "wave"}
    lines = against_warp(made, warp, who, motions).splitlines()
    assert any(
        line.startswith("| overlap, all motions | +1.50 |") and line.endswith("| 4 | 2 |") for line in lines
    )
    assert any(line.startswith("| overlap, run | -1.00 |") and line.endswith("| 2 | 2 |") for line in lines)
    assert any(
        line.startswith("| elsewhere, wave | +1.00 |") and line.endswith("| 2 | 0 |") for line in lines
    )


@pytest.mark.slow
@pytest.mark.skipif(not find_reader("metrics").is_file(), reason="the package's reader is not here")
def test_a_trial_from_end_to_end(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = reference_pictures(store, 2)
    group = Group(", 2 pictures", {"tiny": with_strangers(animator(store), pictures)}, pictures)
    recorded = run_trial("Strangers", store, [group], tmp_path, overlap=True)
    ways = recorded["ways"]
    assert list(ways) == [REAL, FROZEN, "tiny, 2 pictures", "bare warp, 2 pictures", f"{LAYERED}, 2 pictures"]
    real, frozen, tiny = ways[REAL], ways[FROZEN], ways["tiny, 2 pictures"]
    assert real["PSNR, dB"]["value"] == 100
    assert real["PCK@0.05, of real"]["value"] == real["warping error, of real"]["value"] == 1
    assert frozen["motion, made / real"]["value"] == pytest.approx(0, abs=0.05)
    assert tiny["PSNR, dB"]["value"] < 30
    assert tiny["PSNR, dB"]["clips"] == 2
    printed = capsys.readouterr().out
    assert "### tiny, 2 pictures against layered bare warp, 2 pictures" in printed
    assert len(list((tmp_path / "tiny_2_pictures").glob("*.mkv"))) == 2
