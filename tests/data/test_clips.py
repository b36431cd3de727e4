"""ClipDataset and its batches: the same for any start, any number of ranks and of workers."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from moving_dots import make_store, moving_clip

from temporal_gan.batch import ClipBatch, to_display_range
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, clip_batches, collate, whole_clip
from temporal_gan.data.manifest import ClipRow
from temporal_gan.errors import StoreError


def numbered_flow(row: ClipRow) -> tuple[np.ndarray, np.ndarray]:
    flow = np.zeros((row.frames - 1, 2, 16, 16), np.float32) + np.arange(row.frames - 1)[:, None, None, None]
    return flow, flow[:, :1] % 2 == 0


def dataset(
    folder: Path, frames: int = 4, split: str = "train", flow: str = "numbered", seed: int = 0
) -> ClipDataset:
    store = make_store(folder, lengths=(6, 4, 8, 2, 7, 5), size=(16, 16))
    return ClipDataset(store, open_cache(store, 16, flow, numbered_flow, quiet=True), split, frames, seed)


def same(a: ClipBatch, b: ClipBatch) -> bool:
    return a.clip_id == b.clip_id and all(
        torch.equal(getattr(a, n), getattr(b, n))
        for n in ("video", "keypoints", "layer", "flow", "flow_valid", "hold")
    )


def test_whole_clip_is_the_store_s_clip(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s")
    batch = whole_clip(data.store, data.cache, "clip_2").validate()
    video, labels, _ = moving_clip(8, 16, 16, 4, seed=2)
    assert batch.clip_id == ("clip_2",)
    assert batch.character.tolist() == [0]
    pixels = to_display_range(batch.video)[0].permute(0, 2, 3, 1).numpy() * 255
    assert pixels == pytest.approx(video, abs=1e-3)
    assert batch.video.min() == -1
    assert batch.keypoints[0].numpy() == pytest.approx(labels.keypoints, abs=1e-6)
    assert batch.flow is not None
    assert batch.flow_valid is not None
    assert batch.flow[0, :, 0, 0, 0].tolist() == list(range(7))
    assert batch.flow_valid[0, :, 0, 0, 0].tolist() == [True, False] * 3 + [True]
    assert batch.time[0].numpy() == pytest.approx(labels.time, abs=1e-6)


def test_window_is_cut_alike_from_every_field(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s", frames=3)
    for index in range(20):
        item = data[index].validate()
        whole = whole_clip(data.store, data.cache, item.clip_id[0])
        start = int(item.hold[0, 0])  # moving_clip numbers its drawings
        for name in ("video", "keypoints", "confidence", "layer", "expression", "time", "hold"):
            assert torch.equal(getattr(item, name)[0], getattr(whole, name)[0, start : start + 3])
        assert whole.flow is not None
        assert torch.equal(item.flow[0], whole.flow[0, start : start + 2])


@pytest.mark.parametrize(
    ("frames", "window", "clips", "skipped"), [(4, 4, 4, 1), (2, 2, 5, 0), (8, 8, 1, 4), (99, 8, 1, 4)]
)
def test_short_clips_are_skipped_and_counted(
    tmp_path: Path, frames: int, window: int, clips: int, skipped: int
) -> None:
    data = dataset(tmp_path / "s", frames)
    assert (data.window, len(data), data.skipped_clips) == (window, clips, skipped)
    assert data[5].video.shape == (1, window, 4, 16, 16)


def test_store_without_flow_gives_none(tmp_path: Path) -> None:
    batch = dataset(tmp_path / "s", flow="")[0]
    assert batch.flow is None
    assert batch.flow_valid is None


def test_one_frame_windows_have_empty_flow(tmp_path: Path) -> None:
    assert dataset(tmp_path / "s", frames=1)[0].validate().flow.shape == (1, 0, 2, 16, 16)


def test_empty_split_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"split 'val'; this store has test \(1 clips\), train \(5 clips\)"):
        dataset(tmp_path / "s", split="val")


def test_batches_resume_at_any_step(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s")
    whole = list(islice(clip_batches(data, 0, 3), 5))
    assert all(len(b) == 3 for b in whole)
    for step in (1, 3):
        assert same(next(clip_batches(data, step, 3)), whole[step])
    assert not same(whole[0], whole[1])
    other = ClipDataset(data.store, data.cache, "train", 4, seed=1)
    assert not same(next(clip_batches(other, 0, 3)), whole[0])


def test_ranks_share_the_global_batch(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s")
    for step in (0, 2):
        parts = [next(clip_batches(data, step, 4, rank, 2)) for rank in (0, 1)]
        assert same(collate(parts), next(clip_batches(data, step, 4)))


def test_workers_change_nothing(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s")
    for ours, theirs in zip(
        islice(clip_batches(data, 2, 2), 3), clip_batches(data, 2, 2, workers=1), strict=False
    ):
        assert same(ours, theirs)


def test_pass_over_the_split_shows_each_clip_once(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s", frames=2)
    names = [data[i].clip_id[0] for i in range(10)]
    assert sorted(names[:5]) == sorted(names[5:]) == [f"clip_{n}" for n in range(5)]
    assert np.unique([int(data[i].hold[0, 0]) for i in range(60)]).size > 4


def test_unlike_clips_are_not_joined(tmp_path: Path) -> None:
    data = dataset(tmp_path / "s")
    with pytest.raises(ValueError, match="flow is missing in some"):
        collate([data[0], ClipBatch(**{**vars(data[1]), "flow": None})])
