"""Finished pieces are found by what went into them: settings, and the bytes of every file that they name."""

import os
import zlib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from strange_media import source

from preprocessing.clip_task import CLIPS, ClipItem, clip_keys
from preprocessing.config import load_preprocess_config
from preprocessing.shot import Shot
from temporal_gan.models.reader_file import find_reader


@pytest.fixture
def item(tmp_path: Path) -> ClipItem:
    values = dict.fromkeys(("first_frame", "first_pts", "start"), 0)
    size = dict.fromkeys(("width", "height", "source_width", "source_height"), 64)
    shot = Shot(
        **values, **size, end_frame=9, end=1.0, fps=9.0, has_alpha=False, fingerprint="", score=None,
        near_cuts=(), left_out="",
    )  # fmt: skip
    return ClipItem("clip", source(tmp_path / "a.mp4"), shot)


def rewritten(file: Path, text: str) -> None:
    file.write_text(text)
    # Within one tick of the clock a file may change twice.
    os.utime(file, ns=(0, zlib.crc32(text.encode())))


def test_another_model_makes_again_what_it_has_told(item: ClipItem, tmp_path: Path) -> None:
    model, vocabulary, reader = (tmp_path / name for name in ("model.onnx", "tags.csv", "reader.safetensors"))
    for file in (model, vocabulary, reader):
        rewritten(file, "one")
    config = load_preprocess_config(
        None,
        [
            f"expression.tags.model={model}",
            f"expression.tags.vocabulary={vocabulary}",
            f"pose.reader={reader}",
            "pose.backend=reader",
        ],
    )
    before = clip_keys(item, config)
    assert clip_keys(item, config) == before
    for file, first in ((model, "expression"), (vocabulary, "expression"), (reader, "pose")):
        rewritten(file, "two")
        after = clip_keys(item, config)
        changed = [stage for stage in before if after[stage] != before[stage]]
        stages = list(before)
        assert changed == stages[stages.index(first) :], file.name
        rewritten(file, "one")
        assert clip_keys(item, config) == before


def test_how_a_shot_was_found_makes_nothing_again_and_where_it_lies_does(item: ClipItem) -> None:
    config = load_preprocess_config(None, [])
    keys = clip_keys(item, config)
    found = {"fingerprint": "1", "score": 9.0, "near_cuts": ((0.5, 3.0),), "left_out": "short"}
    assert clip_keys(replace(item, shot=replace(item.shot, **found)), config) == keys
    for name in {field.name for field in fields(Shot)} - set(found):
        shot = replace(item.shot, **{name: 7})
        assert not set(clip_keys(replace(item, shot=shot), config).values()) & set(keys.values()), name


def test_a_reader_that_nobody_asks_changes_nothing(item: ClipItem) -> None:
    changes = ["pose.backend=none", "face.backend=none", "expression.method=none"]
    nobody = [clip_keys(item, load_preprocess_config(None, changes))]
    assert find_reader("loss").is_file()
    nobody.append(
        clip_keys(item, load_preprocess_config(None, ["pose.backend=none", "expression.method=none"]))
    )
    assert nobody[0]["pose"] == nobody[1]["pose"]
    asked = clip_keys(item, load_preprocess_config(None, [*changes, "face.backend=reader"]))
    assert asked["holds"] == nobody[0]["holds"]
    assert asked[CLIPS] != nobody[0][CLIPS]
