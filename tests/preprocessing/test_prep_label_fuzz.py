"""Whatever a label file holds, an importer gives tracks or one clear line; nothing else ever leaves it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_clips import TAILED, random_track, with_extras

from preprocessing.exporters.coco import CocoFile
from preprocessing.exporters.label_table import write_label_table
from preprocessing.importers.coco import read_coco
from preprocessing.importers.label_table import read_label_table
from preprocessing.importers.mediapipe import read_mediapipe
from preprocessing.importers.openpose import read_openpose
from preprocessing.label_track import LabelTrack
from temporal_gan.errors import UserError
from temporal_gan.skeletons import CANONICAL25

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 400),
    st.sampled_from([10**25, -(10**400), 1e308, float("nan"), float("inf"), -0.0, 0.5, 2**63]),
    st.text(max_size=4),
    st.sampled_from(["..", "/etc", "a/../../b", "\ud800", "\0"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
LANDMARKS = [{"x": 0.5, "y": 0.5, "visibility": 1.0}]
MEDIAPIPE: Any = {
    "frames": [
        {
            "frame": 0,
            "pose_landmarks": LANDMARKS * 33,
            "face_blendshapes": {"jawOpen": 0.5},
            "hand_landmarks": {"left": LANDMARKS * 21},
        }
    ]
}
OPENPOSE: Any = {
    "people": [
        {
            "pose_keypoints_2d": [5, 5, 1] * 18,
            "face_keypoints_2d": [],
            "hand_left_keypoints_2d": [5, 5, 1] * 21,
        }
    ],
    "canvas_width": 20,
    "canvas_height": 10,
}


def coco(room: Path, whole_body: bool) -> Any:
    file = CocoFile(CANONICAL25 if whole_body else TAILED, whole_body)
    file.add("clip", random_track(2, file.skeleton), (20, 10))
    file.write(room / "made.json")
    return json.loads((room / "made.json").read_text())


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every element; of long lists only some."""
    inside = data.items() if isinstance(data, dict) else enumerate(data[:4]) if isinstance(data, list) else ()
    return [path, *(place for key, value in inside for place in places(value, (*path, key)))]


def broken(draw: st.DrawFn, data: Any) -> Any:
    """The same with one to three elements replaced, or removed."""
    data = copy.deepcopy(data)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(data)[1:] or [(0,)]))
        thing = data
        for key in path:
            thing = thing[key]
        if draw(st.booleans()) and draw(st.booleans()):
            del thing[last]
        else:
            thing[last] = draw(ODD)
        if not isinstance(data, dict) or not data:
            break
    return data


def check(track: LabelTrack) -> None:
    frames, joints = len(track.frame), len(track.skeleton.joints)
    assert frames > 0
    assert track.frame.min() >= 0
    assert bool((np.diff(track.frame) > 0).all())
    assert track.keypoints.shape == (frames, joints, 2)
    assert track.confidence.shape == (frames, joints)
    assert bool(np.isfinite(track.keypoints).all())
    assert 0 <= track.confidence.min() <= track.confidence.max() <= 1
    seen = track.keypoints[track.confidence > 0]
    assert bool(((seen >= 0) & (seen <= 1)).all())
    for extra in (track.hands, track.face_points, track.expression, track.expression_confidence):
        assert extra is None or (len(extra) == frames and bool(np.isfinite(extra).all()))


def tracks_or_one_line(read: Callable[[], dict[str, LabelTrack]]) -> None:
    try:
        tracks = read()
    except UserError as error:
        tracks, line = {}, str(error)
        line.encode()
    else:
        line = ""
    assert "\n" not in line
    for name, track in tracks.items():
        assert ".." not in Path(name).parts
        assert not Path(name).is_absolute()
        check(track)


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda room: MEDIAPIPE, read_mediapipe),
        (lambda room: OPENPOSE, lambda file: read_openpose(file.parent, lambda _: (20, 10))),
        (lambda room: coco(room, False), read_coco),
        (lambda room: coco(room, True), read_coco),
    ],
    ids=["mediapipe", "openpose", "coco", "coco-wholebody"],
)
def test_json_of_any_shape(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make: Callable[[Path], Any],
    read: Callable[[Path], dict[str, LabelTrack]],
) -> None:
    file = tmp_path / "0.json"
    whole = make(tmp_path_factory.mktemp("made"))

    @settings(max_examples=80, derandomize=True, deadline=None, database=None)
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        file.write_text(json.dumps(data.draw(st.composite(broken)(whole))))
        tracks_or_one_line(lambda: read(file))

    file.write_text(json.dumps(whole))
    assert read(file)
    run()


def test_tables_of_any_cells(tmp_path: Path) -> None:
    file = tmp_path / "0.csv"
    write_label_table(file, with_extras(random_track(1, TAILED)))
    lines = file.read_text().splitlines()
    cell = st.one_of(
        st.text(max_size=3), st.sampled_from(["nan", "inf", "-1", "1e999", "9" * 5000, '"', "٣", "0.5"])
    )

    @settings(max_examples=200, derandomize=True, deadline=None, database=None)
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        changed = list(lines)
        for _ in range(data.draw(st.integers(1, 3))):
            row = data.draw(st.integers(0, len(changed) - 1))
            cells = changed[row].split(",")
            cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(cell)
            changed[row] = ",".join(cells)
        file.write_text("\n".join(changed), encoding="utf-8", errors="surrogatepass", newline="")
        tracks_or_one_line(lambda: read_label_table(file))

    run()


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_any_bytes(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"0{suffix}"

    @settings(max_examples=60, derandomize=True, deadline=None, database=None)
    @given(content=st.binary(max_size=60))
    def run(content: bytes) -> None:
        file.write_bytes(content)
        if suffix == ".csv":
            tracks_or_one_line(lambda: read_label_table(file))
        for read in (read_coco, read_mediapipe):
            tracks_or_one_line(lambda read=read: read(file))  # type: ignore[misc]
        if suffix == ".json":
            tracks_or_one_line(lambda: read_openpose(tmp_path, lambda _: (4, 4)))

    run()
