"""Mirrored references: the same picture turned round, with its joints named anew."""

from pathlib import Path

import numpy as np
import pytest
import torch
from moving_dots import SKELETON, make_store

from temporal_gan.batch import ClipBatch, to_display_range
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, whole_clip, with_nearest_references
from temporal_gan.data.references import ReferencePool, with_mirrored

FLIP = SKELETON.flip_permutation()


def bank(folder: Path) -> dict[str, np.ndarray]:
    store = make_store(folder, size=(16, 16))
    return ReferencePool(store, open_cache(store, 16, quiet=True)).bank("character 0")


def test_a_mirrored_frame_is_turned_round_and_its_joints_change_sides(tmp_path: Path) -> None:
    frames = bank(tmp_path / "s")
    count = len(frames["video"])
    doubled = with_mirrored(frames, FLIP)
    for name, values in frames.items():
        assert len(doubled[name]) == 2 * count
        assert np.array_equal(doubled[name][:count], values)
    assert np.array_equal(doubled["video"][count], frames["video"][0][:, :, ::-1])
    x, y = frames["keypoints"][0].T
    # Joint 1 is a left hand and joint 2 a right one.
    assert doubled["keypoints"][count].tolist() == np.stack([1 - x[[0, 2, 1]], y[[0, 2, 1]]], -1).tolist()
    assert doubled["layer"][count].tolist() == frames["layer"][0][[0, 2, 1]].tolist()


def test_mirrored_twice_is_the_frame_itself(tmp_path: Path) -> None:
    frames = bank(tmp_path / "s")
    count = len(frames["video"])
    twice = with_mirrored({n: v[count:] for n, v in with_mirrored(frames, FLIP).items()}, FLIP)
    for name, values in frames.items():
        assert twice[name][count:] == pytest.approx(values, abs=1e-6)
    assert with_mirrored({}, FLIP) == {}


def test_a_pose_that_looks_the_other_way_gets_a_mirrored_reference(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", size=(16, 16))
    cache = open_cache(store, 16, quiet=True)
    clip = whole_clip(store, cache, "clip_0")
    frames = ReferencePool(store, cache).bank("character 0")
    other_way = clip.keypoints[:, :, FLIP] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
    turned = ClipBatch(**{**vars(clip), "keypoints": other_way})
    plain = with_nearest_references(clip, frames, 1).reference_video
    mirrored = with_nearest_references(turned, frames, 1, FLIP).reference_video
    assert plain is not None
    assert mirrored is not None
    assert torch.equal(mirrored, plain.flip(-1))


def test_training_windows_choose_among_mirrored_frames_too(tmp_path: Path) -> None:
    """Every picture it carries is a frame of the store or one turned round, beside the pose that belongs to it."""
    store = make_store(tmp_path / "s", lengths=(6, 4, 5, 6), size=(16, 16))
    cache = open_cache(store, 16, quiet=True)
    data = ClipDataset(store, cache, "train", 2, seed=0, references=6, mirrored=True)
    lengths = enumerate((6, 4, 5, 6))
    whole = [{n: cache.frames(n, c, 0, count) for n in ("video", "keypoints")} for c, count in lengths]
    known = with_mirrored({n: np.concatenate([w[n] for w in whole]) for n in whole[0]}, FLIP)
    turned = 0
    for index in range(6):
        item = data[index].validate()
        assert item.reference_video is not None
        assert item.reference_keypoints is not None
        pictures = (to_display_range(item.reference_video[0]) * 255).round().byte().numpy()
        for picture, pose in zip(pictures, item.reference_keypoints[0].numpy(), strict=True):
            if not picture.any():
                continue
            places = np.flatnonzero((known["video"] == picture).all((1, 2, 3)))
            assert any(np.allclose(known["keypoints"][p], pose, atol=1e-6) for p in places)
            turned += int(places.min() >= len(known["video"]) // 2)
    assert turned > 0
