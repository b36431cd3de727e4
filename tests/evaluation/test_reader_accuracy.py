"""A reader is judged by the right frames and joints."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from temporal_gan.data.store import Store
from temporal_gan.errors import StoreError
from temporal_gan.evaluation import reader_accuracy
from temporal_gan.evaluation.reader_accuracy import measure_reader
from temporal_gan.models.reader import Reader, ReaderConfig
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import write_puppet_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    specs = random_specs(12, 0, characters=["hana", "miko"], motions=["walk", "dance"], frames=4, size=48)
    return write_puppet_store(tmp_path_factory.mktemp("reader") / "store", specs, 0, quiet=True)


@pytest.fixture(scope="module")
def reader() -> Reader:
    torch.manual_seed(0)
    return Reader(ReaderConfig(width=8, features=8, identity=8)).eval().requires_grad_(False)


def test_an_untrained_reader_reads_hardly_anything(store: Store, reader: Reader) -> None:
    split = "train"
    accuracy = measure_reader(reader, store, split)
    rows = store.split(split)
    assert accuracy.clips == len(rows)
    assert accuracy.frames == sum(row.frames for row in rows)
    assert accuracy.pck_05 is not None
    assert accuracy.pck_05 < 0.2
    assert accuracy.pck_05 <= (accuracy.pck_10 or 0)
    assert accuracy.expression_accuracy is not None
    assert accuracy.expression_accuracy < 0.7


def test_a_perfect_reading_scores_one_and_hidden_joints_are_apart(
    store: Store, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = "train"
    rows = iter(store.split(split))

    def truth(_: Reader, video: torch.Tensor) -> object:
        # What the labels say, but for hidden joints, which are put in a corner.
        row = next(rows)
        labels = store.labels(row.id)
        plain = read_video(reader, video)
        points = np.where(labels.confidence[..., None] >= 0.75, labels.keypoints, 0.0)
        who = torch.eye(plain.identity.shape[1])[store.info.characters.index(row.character)]
        return replace(
            plain,
            keypoints=torch.from_numpy(points.astype(np.float32)),
            expression=torch.from_numpy(labels.expression),
            identity=who.expand(len(points), -1),
        )

    read_video = reader_accuracy.read_video
    monkeypatch.setattr(reader_accuracy, "read_video", truth)
    accuracy = measure_reader(reader, store, split)
    assert accuracy.pck_05 == accuracy.pck_10 == 1.0
    assert accuracy.pck_05_hidden == 0.0
    assert set(accuracy.pck_05_by_joint.values()) == {1.0}
    assert accuracy.expression_accuracy == accuracy.macro_f1 == 1.0
    assert max(accuracy.control_error.values()) == 0.0
    assert accuracy.identity_auc == 1.0


def test_an_empty_split_is_one_line(store: Store, reader: Reader) -> None:
    with pytest.raises(StoreError, match="no clips in split 'test_motion'"):
        measure_reader(reader, store, "test_motion")


def test_a_folder_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no clip store"):
        Store.open(tmp_path)
