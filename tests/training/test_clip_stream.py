"""The stream of training clips: what a step sees depends on its number alone, not on who prepares it."""

import multiprocessing
from itertools import islice

import pytest
import torch
from small_runs import CLIP_GAN, config, puppet_store

from temporal_gan import rng
from temporal_gan.batch import ClipBatch
from temporal_gan.data.cache import open_cache
from temporal_gan.data.clips import ClipDataset, clip_batches, collate
from temporal_gan.data.transforms import augment
from temporal_gan.distributed import World
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.puppet.dataset import exact_flow_source
from temporal_gan.training.clip_stream import clip_stream

CPU, STAGES = torch.device("cpu"), [{"frames": 2, "until_step": 1}]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipDataset:
    store = puppet_store(tmp_path_factory.mktemp("data") / "store")
    cache = open_cache(store, 32, "exact", exact_flow_source(store), quiet=True)
    return ClipDataset(store, cache, "train", 3, 7, references=2)


def stream(clips: ClipDataset, cfg: ExperimentConfig, start: int, count: int) -> list[ClipBatch]:
    return list(islice(clip_stream(clips, cfg, start, World(), CPU), count))


def assert_same(a: ClipBatch, b: ClipBatch) -> None:
    assert a.clip_id == b.clip_id
    for name in ("video", "keypoints", "confidence", "flow", "flow_valid", "reference_video"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name


@pytest.mark.parametrize("workers", [0, 1])
def test_a_step_sees_its_own_window_cut_and_augmented_whoever_prepares_it(
    clips: ClipDataset, workers: int
) -> None:
    cfg = config(CLIP_GAN, data__curriculum=STAGES, data__workers=workers)
    plain = list(islice(clip_batches(clips, 0, 2), 2))
    info, seed = clips.store.info, rng.mix_seed(cfg.train.seed, "augment")
    for step, batch in enumerate(stream(clips, cfg, 0, 2)):
        expected = plain[step].first_frames(2 if step == 0 else 3)
        changed = augment(expected, cfg.data.augment, seed, 2 * step, info.skeleton, info.expressions)
        assert_same(batch, changed)
        assert not torch.equal(batch.video, expected.video)
        assert batch.video.shape[:2] == (2, 2 if step == 0 else 3)


def test_it_begins_anywhere_and_is_shared_by_processes(clips: ClipDataset) -> None:
    cfg = config(CLIP_GAN)
    whole = stream(clips, cfg, 0, 3)
    assert_same(stream(clips, cfg, 2, 1)[0], whole[2])
    parts = [next(clip_stream(clips, cfg, 1, World(rank, 2), CPU)) for rank in (0, 1)]
    assert_same(collate(parts), whole[1])


def test_it_comes_in_the_runs_own_precision(clips: ClipDataset) -> None:
    batch = stream(clips, config(CLIP_GAN, train__precision="float64"), 0, 1)[0]
    assert batch.video.dtype == batch.keypoints.dtype == torch.float64
    assert batch.layer.dtype == torch.int64


@pytest.mark.parametrize("workers", [0, 1])
def test_workers_are_processes_of_their_own(clips: ClipDataset, workers: int) -> None:
    cfg = config(CLIP_GAN, data__workers=workers)
    before = set(multiprocessing.active_children())
    batches = clip_stream(clips, cfg, 0, World(), CPU)
    next(batches)
    assert len(set(multiprocessing.active_children()) - before) == workers
    del batches
