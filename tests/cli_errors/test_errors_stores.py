"""Stores that are missing, damaged or of another kind, whichever command reads them."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_lines import copy_of, generating, training
from PIL import Image
from small_runs import call_preprocess

from temporal_gan.data.store import Store


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_no_store(room: Path, tmp_path: Path, mistake: Callable[..., str], missing: str) -> None:
    (tmp_path / "empty").mkdir()
    path = tmp_path / missing
    assert mistake(*training(room, store=path)) == f"{path}: is no clip store (no store.json in it)"
    for arguments in (("evaluate", room / "run", path), ("evaluate", path, room / "store")):
        assert str(path) in mistake(*arguments, "--out", tmp_path / "out", "--quiet")
    assert str(path) in mistake(*generating(room, tmp_path, pose=f"{path}#clip"))
    assert str(path) in mistake("validate", path, command=call_preprocess)


def test_a_store_of_another_schema_version(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    store = copy_of(room / "store", tmp_path)
    about = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps(about | {"schema": 99}))
    expected = f"{store / 'store.json'}: schema version 99, expected {about['schema']}; update temporal_gan"
    assert mistake(*training(room, store=store)) == expected
    assert mistake("validate", store, command=call_preprocess) == expected


def test_a_store_half_written(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    store = copy_of(room / "store", tmp_path)
    (store / "store.json").unlink()
    assert mistake(*training(room, store=store)).startswith(f"{store}: half written")


def test_a_truncated_video(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    store = copy_of(room / "store", tmp_path)
    video = sorted((store / "video").iterdir())[0]
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    assert mistake(*training(room, store=store)).startswith(f"{video}: truncated")
    assert mistake("validate", store, command=call_preprocess).startswith(f"{video}: ")
    assert not list((store / "cache").glob("*_32*/index.json")), "a broken store must leave no cache behind"


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_keypoint_that_is_no_number(
    room: Path, tmp_path: Path, mistake: Callable[..., str], split: str
) -> None:
    """In whichever split it lies: none of the figures may become NaN."""
    path = copy_of(room / "store", tmp_path)
    clip = Store.open(path).split(split)[0].id
    file = path / "frames.parquet"
    table = pq.read_table(file)
    points = table.column("keypoints").to_pylist()
    row = [i for i, name in enumerate(table.column("clip_id").to_pylist()) if name == clip][2]
    points[row][5] = float("nan")
    place = table.schema.get_field_index("keypoints")
    column = pa.array(points, table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), column), file)
    expected = f"{file}: clip {clip}, frame 2: keypoints is not a finite number"
    assert mistake(*training(room, store=path)) == expected
    assert mistake(*generating(room, tmp_path, pose=f"{path}#{clip}")) == expected


def drawings(folder: Path, keypoints: str) -> Path:
    folder.mkdir()
    Image.new("RGB", (10, 8)).save(folder / "a.png")
    (folder / "keypoints.csv").write_text(keypoints)
    (folder / "keypoints_skeleton.csv").write_text("Head,Tail\nTail,Head\n")
    (folder / "keypoints_layers.csv").write_text("Head,0\nTail,1\n")
    return folder


@pytest.mark.parametrize("number", ["nan", "inf", "x", ""])
def test_a_keypoint_that_is_no_number_in_an_import(
    tmp_path: Path, mistake: Callable[..., str], number: str
) -> None:
    folder = drawings(tmp_path / "drawings", f"Head,1,2,a.png\nTail,3,{number},a.png\n")
    line = mistake(
        "import", "charactergan", folder, "--out", tmp_path / "s", "--quiet", command=call_preprocess
    )
    assert line.startswith(f"{folder / 'keypoints.csv'}:2")
    assert not (tmp_path / "s" / "store.json").exists()
