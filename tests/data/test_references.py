"""References: among how many they are chosen, and mirrored ones: a picture turned round, its joints named anew."""

from pathlib import Path

import numpy as np
import pytest
import torch
from moving_dots import SKELETON, make_store

from temporal_gan.batch import ClipBatch, to_display_range
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, whole_clip, with_nearest_references
from temporal_gan.data.references import POOL, ReferencePool, choose_references, pool_size, with_mirrored

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


# Among how many


@pytest.mark.parametrize("smallest", [1, 4, 20])
def test_every_doubling_of_the_pool_is_as_likely(smallest: int) -> None:
    """At least n frames are there with probability 1 - log(n / smallest) / log((POOL + 1) / smallest)."""
    drawn = np.array([pool_size(7, sample, smallest) for sample in range(4000)])
    assert drawn.min() == smallest
    assert drawn.max() == POOL
    for n in range(smallest, POOL + 1):
        wanted = 1 - np.log(n / smallest) / np.log((POOL + 1) / smallest)
        # Four standard deviations of a share of 4000.
        assert float((drawn >= n).mean()) == pytest.approx(wanted, abs=0.032), n


def test_the_size_of_a_pool_is_a_function_of_seed_and_sample() -> None:
    sizes = [[pool_size(seed, sample, 1) for sample in range(50)] for seed in (0, 0, 1)]
    assert sizes[0] == sizes[1] != sizes[2]
    assert {pool_size(0, sample, POOL) for sample in range(20)} == {POOL}


def picked(data: ClipDataset, index: int) -> np.ndarray:
    """Poses [P, J, 2] of the references that are there."""
    item = data[index]
    assert item.reference_keypoints is not None
    assert item.reference_confidence is not None
    there = item.reference_confidence[0].amax(-1) > 0
    # Those that are missing come last.
    assert there.tolist() == sorted(there.tolist(), reverse=True)
    return item.reference_keypoints[0][there].numpy()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_window_chooses_among_the_first_of_its_pool(tmp_path: Path, mirrored: bool) -> None:
    store = make_store(tmp_path / "s", lengths=(6, 4, 5, 6), size=(16, 16))
    cache = open_cache(store, 16, quiet=True)
    small, whole = (
        ClipDataset(store, cache, "train", 2, 0, references=4, mirrored=mirrored, smallest_pool=s)
        for s in (1, POOL)
    )
    pool, counts = ReferencePool(store, cache), set()
    for index in range(24):
        clip = small[index]
        row = store.clips[store.clips.position(clip.clip_id[0])]
        start = int(clip.hold[0, 0])
        places = pool.around(0, index, row.character, store.clips.position(row.id), start, 2)
        first = places[: pool_size(0, index, 1)]
        counts.add(min(len(first), 4))
        pose = clip.keypoints[0].numpy(), clip.confidence[0].numpy()
        for data, among in ((small, first), (whole, places)):
            poses = pool.read(among, ("keypoints", "confidence"))
            poses = with_mirrored(poses, FLIP) if mirrored else poses
            wanted = poses["keypoints"][choose_references(*pose, *poses.values(), 4)]
            assert np.array_equal(picked(data, index), wanted)
    # From one picture alone to as many as are shown.
    assert {1, 4} <= counts


def test_a_mirrored_pool_of_one_is_that_frame_and_its_mirror_image(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", lengths=(6, 4, 5, 6), size=(16, 16))
    cache = open_cache(store, 16, quiet=True)
    data = ClipDataset(store, cache, "train", 2, seed=0, references=4, mirrored=True, smallest_pool=1)
    alone = [index for index in range(40) if pool_size(0, index, 1) == 1]
    assert len(alone) > 2
    for index in alone:
        one, other = picked(data, index)
        turned = one[FLIP] * [-1, 1] + [1, 0]
        assert other == pytest.approx(turned, abs=1e-6)
