"""The puppet's endless supply: a function of seed and step, with partners that share a script or a character."""

from pathlib import Path

import numpy as np
import pytest
import torch

from temporal_gan.data.manifest import ClipLabels, ClipRow
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.errors import StoreError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.puppet import random_specs
from temporal_gan.puppet.dataset import write_puppet_store
from temporal_gan.skeletons import CANONICAL25, Skeleton
from temporal_gan.training.reader.frames import FrameBatch, PuppetFrames, readable_faces
from temporal_gan.training.reader.recipe import FramesConfig
from temporal_gan.training.reader.store_frames import StoreFrames

SMALL = FramesConfig(
    size=64,
    characters=2,
    scripts=3,
    moments=2,
    scenes_a_batch=2,
    scenes_kept=2,
    first_scenes=2,
    steps_a_scene=2,
)


@pytest.fixture(scope="module")
def batches() -> list[FrameBatch]:
    source = PuppetFrames(SMALL, seed=3)
    return [source.batch(step) for step in range(3)]


def test_a_batch_is_a_function_of_seed_and_step(batches: list[FrameBatch]) -> None:
    again = PuppetFrames(SMALL, seed=3).batch(2)
    assert torch.equal(again.frames, batches[2].frames)
    assert torch.equal(again.keypoints, batches[2].keypoints)
    assert not torch.equal(batches[0].frames, batches[1].frames)


def test_a_batch_holds_what_the_recipe_says(batches: list[FrameBatch]) -> None:
    batch = batches[0]
    assert batch.frames.shape == (SMALL.batch, 3, 64, 64) == (12, 3, 64, 64)
    assert 0 <= float(batch.frames.min()) < float(batch.frames.max()) <= 1
    inside = batch.confidence > 0
    assert bool((batch.keypoints[inside] >= 0).all())
    assert bool((batch.keypoints[inside] <= 1).all())


def test_partners_share_expression_or_character_and_no_scene_borrows_from_another(
    batches: list[FrameBatch],
) -> None:
    batch = batches[0]
    for a in range(len(batch.script)):
        for b in range(a):
            if batch.script[a] == batch.script[b]:
                assert batch.character[a] != batch.character[b]
                assert torch.allclose(batch.expression[a], batch.expression[b])
    assert sorted(torch.bincount(batch.script).tolist()) == [2] * 6
    assert sorted(torch.bincount(batch.character).tolist()) == [3] * 4


def test_new_scenes_come_and_old_ones_go() -> None:
    source = PuppetFrames(SMALL, seed=3)
    source.batch(0)
    assert set(source._scenes) == {0, 1}
    source.batch(4)
    assert set(source._scenes) == {2, 3}


def test_a_face_must_be_seen_and_large_enough_to_be_read() -> None:
    points, seen = np.full((3, 25, 2), 0.5, np.float32), np.ones((3, 25), np.float32)
    points[:, 1, 1] = 0.7
    points[2, 1, 1] = 0.52
    seen[1, 14] = 0.5
    known = readable_faces(points, seen, np.zeros((3, 64, 64, 3)))
    assert known[:, 0].tolist() == [True, False, False]


def test_a_store_gives_the_same_kind_of_batch(tmp_path: Path) -> None:
    specs = random_specs(4, 0, characters=["hana"], frames=3, size=48)
    store = write_puppet_store(tmp_path / "store", specs, 0, quiet=True)
    source = StoreFrames(store.path, SMALL, seed=1)
    batch = source.batch(0)
    assert batch.frames.shape == (12, 3, 64, 64)
    assert bool((batch.script == -1).all())
    # Puppets of this store never leave the picture.
    assert bool(batch.joints_known.all())
    assert bool(batch.expression_known.any())
    assert torch.equal(batch.frames, StoreFrames(store.path, SMALL, seed=1).batch(0).frames)


def test_a_folder_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no clip store"):
        StoreFrames(tmp_path, SMALL, 0)


def test_what_a_store_does_not_know_stays_unknown_in_a_mirror(tmp_path: Path) -> None:
    one_sided = Skeleton("half", ("nose", "left_hand", "tail"), ((0, 1), (1, 2)), (), (1, 1, 1))
    time = np.zeros(1, np.float32)
    labels = ClipLabels(
        time=time, hold=np.zeros(1, np.int64), keypoints=np.full((1, 3, 2), 0.5, np.float32),
        confidence=np.ones((1, 3), np.float32), layer=np.ones((1, 3), np.int64),
        expression=np.ones((1, 1), np.float32), expression_confidence=np.ones((1, 1), np.float32),
        origin=("manual",),
    )  # fmt: skip
    with StoreWriter(tmp_path / "store", one_sided, ("eyeBlinkLeft",), 12.0, None, 3) as writer:
        writer.add_clip(
            ClipRow(id="one", character="a", split="train"), np.full((1, 32, 32, 3), 255, np.uint8), labels
        )
    batch = StoreFrames(tmp_path / "store", SMALL, seed=0).batch(0)
    names = [CANONICAL25.joints[j] for j in batch.joints_known.any(dim=0).nonzero().flatten()]
    assert names == ["nose", "right_wrist", "left_wrist"]
    assert bool((batch.joints_known.sum(dim=1) == 2).all())
    blinks = batch.expression_known[
        :, [EXPRESSIONS.index("eyeBlinkLeft"), EXPRESSIONS.index("eyeBlinkRight")]
    ]
    assert bool((blinks[:, 0] == batch.joints_known[:, CANONICAL25.joints.index("left_wrist")]).all())
    assert bool((blinks.sum(dim=1) == 1).all())
