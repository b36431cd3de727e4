"""What export writes, import reads again: everything a format can hold comes back to the last bit."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from labelled_clips import TAILED, labelled_store, labels_of_track, pixels, random_track
from small_runs import call_preprocess, puppet_store

from preprocessing.export import Format, export_store
from temporal_gan.data.manifest import ClipRow
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.data.validation import validate_store
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25, Skeleton, canonical_joints

DRAWINGS = Path(__file__).parents[2] / "../shared/media/drawings"
EVERYTHING = (
    "confidence", "keypoints", "layer", "expression", "expression_confidence", "time", "hold", "origin",
)  # fmt: skip


def there_and_back(store: Path, kind: str, room: Path) -> Store:
    out, back = room / "exported", room / "back"
    assert call_preprocess("export", store, "--format", kind, "--out", out, "--quiet") == 0
    arguments: Sequence[object] = {
        "openpose": (out / "labels", "--media", out / "media"),
        "csv": (out / "labels", "--media", out / "media"),
        "coco": (out / "annotations.json", "--media", out / "images"),
        "coco-wholebody": (out / "annotations.json", "--media", out / "images"),
        "webdataset": (out,),
    }.get(kind, ())
    if kind == "charactergan":
        arguments = [next(out.iterdir())]
    command = kind.removesuffix("-wholebody")
    assert call_preprocess("import", command, *arguments, "--out", back, "--quiet") == 0
    return validate_store(back, deep=True)


def assert_kept(
    before: Store, after: Store, fields: Sequence[str], joints: Sequence[int] | slice = slice(None)
) -> None:
    assert [r.id for r in after.clips] == [r.id for r in before.clips]
    for row in before.clips:
        np.testing.assert_array_equal(after.frames(row.id), before.frames(row.id))
        old, new = before.labels(row.id), after.labels(row.id)
        for name in fields:
            a, b = (
                np.asarray(labels.origins() if name == "origin" else getattr(labels, name))
                for labels in (old, new)
            )
            if name in ("keypoints", "confidence", "layer"):
                a, b = a[:, joints], b[:, joints]
            if name == "keypoints":
                # Where there is no confidence there is no place either.
                seen = old.confidence[:, joints] > 0
                a, b = a[seen], b[seen]
            np.testing.assert_array_equal(b, a, err_msg=f"{row.id} {name}")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("openpose", ("confidence", "keypoints")),
        ("coco", ("confidence", "keypoints")),
        ("csv", EVERYTHING),
        ("webdataset", EVERYTHING),
    ],
)
def test_a_store_of_canonical25(tmp_path: Path, kind: str, fields: tuple[str, ...]) -> None:
    before = labelled_store(tmp_path / "store")
    after = there_and_back(before.path, kind, tmp_path)
    assert after.info.skeleton == CANONICAL25
    assert_kept(before, after, fields)
    assert [r.fps for r in after.clips] == ([24.0] * 3 if kind == "coco" else [12.5] * 3)


def test_whole_body_keeps_the_joints_that_are_no_middles(tmp_path: Path) -> None:
    before = labelled_store(tmp_path / "store")
    after = there_and_back(before.path, "coco-wholebody", tmp_path)
    assert_kept(before, after, ("confidence", "keypoints"), [j for j in range(25) if j not in (1, 18)])
    labels = after.labels("walk_0")
    shoulders = labels.confidence[:, [2, 5]] > 0
    both = shoulders.all(-1)
    assert both.any()
    np.testing.assert_array_equal(labels.confidence[:, 1] > 0, both)
    np.testing.assert_allclose(
        labels.keypoints[both, 1], labels.keypoints[both][:, [2, 5]].mean(1), atol=1e-7
    )


@pytest.mark.parametrize(
    ("kind", "fields", "skeleton"),
    [
        ("coco", ("confidence", "keypoints"), None),
        ("csv", EVERYTHING, TAILED),
        ("webdataset", EVERYTHING, TAILED),
    ],
)
def test_a_skeleton_of_ones_own(
    tmp_path: Path, kind: str, fields: tuple[str, ...], skeleton: Skeleton | None
) -> None:
    before = labelled_store(tmp_path / "store", TAILED)
    after = there_and_back(before.path, kind, tmp_path)
    assert_kept(before, after, fields)
    if skeleton:
        assert after.info.skeleton == skeleton
    else:
        # COCO says no layers.
        got = after.info.skeleton
        assert (got.name, got.joints, got.edges) == (TAILED.name, TAILED.joints, TAILED.edges)
        assert got.flip_pairs == TAILED.flip_pairs
        assert got.layers == (1,) * 6


def test_drawings_as_charactergan_has_them(tmp_path: Path) -> None:
    """Joints there or not, the skeleton with its layers, pictures with alpha."""
    before = labelled_store(tmp_path / "store", TAILED, (1, 1, 1))
    after = there_and_back(before.path, "charactergan", tmp_path)
    assert after.info.skeleton == TAILED
    assert after.info.characters == ("lizard",)
    assert_kept(before, after, ("keypoints",))
    for row in before.clips:
        np.testing.assert_array_equal(
            after.labels(row.id).confidence, np.ceil(before.labels(row.id).confidence)
        )


def test_shards_give_the_very_same_store(tmp_path: Path) -> None:
    before = puppet_store(tmp_path / "store", clips=3, frames=3)
    assert there_and_back(before.path, "webdataset", tmp_path).info == before.info


def test_a_puppet_store_as_openpose_json(tmp_path: Path) -> None:
    before = puppet_store(tmp_path / "store", clips=2, frames=3)
    after = there_and_back(before.path, "openpose", tmp_path)
    assert_kept(before, after, ("confidence", "keypoints"))
    # The media carry the frame rate: times are even, whatever the container rounds them to.
    np.testing.assert_allclose(after.labels("puppet_000001").time, [0, 1 / 24, 2 / 24], rtol=1e-12)


@pytest.mark.parametrize("kind", ["openpose", "coco-wholebody"])
def test_formats_of_people_refuse_a_tail_and_leave_nothing(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture
) -> None:
    store = labelled_store(tmp_path / "store", TAILED)
    assert call_preprocess("export", store.path, "--format", kind, "--out", tmp_path / "out", "--quiet") == 2
    said = capfd.readouterr().err
    assert "knows no skeleton 'lizard'; use --format coco, csv or charactergan" in said
    assert said.count("\n") == 1
    assert [f.name for f in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("kind", ["openpose", "coco", "coco-wholebody", "charactergan", "csv", "webdataset"])
def test_the_same_store_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    store = labelled_store(tmp_path / "store", lengths=(2, 1))
    for name in ("one", "two"):
        assert (
            call_preprocess("export", store.path, "--format", kind, "--out", tmp_path / name, "--quiet") == 0
        )
    first, second = (
        {f.relative_to(tmp_path / name): f.read_bytes() for f in (tmp_path / name).rglob("*") if f.is_file()}
        for name in ("one", "two")
    )
    assert len(first) >= 1
    assert first == second


def test_an_export_is_whole_or_not_there(tmp_path: Path) -> None:
    store = labelled_store(tmp_path / "store")
    store.video_file(store.clips[2]).unlink()
    for kind in ("csv", "coco", "webdataset"):
        out = tmp_path / "out" / kind
        assert call_preprocess("export", store.path, "--format", kind, "--out", out, "--quiet") == 2
        assert not list(out.parent.iterdir())
    (tmp_path / "out" / "note").write_text("mine")
    assert call_preprocess("export", store.path, "--format", "csv", "--out", tmp_path / "out", "--quiet") == 2
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["note"]


def test_a_frame_in_pixels_is_where_it_was(tmp_path: Path) -> None:
    """The convention itself, not only that both ways agree: the store's 0.5 is the middle of the picture."""
    store = labelled_store(tmp_path / "store", lengths=(1,))
    labels = store.labels("walk_0")
    for kind in ("openpose", "coco"):
        call_preprocess("export", store.path, "--format", kind, "--out", tmp_path / kind, "--quiet")
    file = tmp_path / "openpose/labels/walk_0/walk_0_000000000000_keypoints.json"
    data = json.loads(file.read_text())
    assert (data["canvas_width"], data["canvas_height"]) == (20, 12)
    x, y, sure = data["people"][0]["pose_keypoints_2d"][:3]
    assert (x, y, sure) == pytest.approx((*(labels.keypoints[0, 0] * (20, 12)), 1.0))
    annotation = json.loads((tmp_path / "coco/annotations.json").read_text())["annotations"][0]
    assert annotation["keypoints"][:3] == pytest.approx([x - 0.5, y - 0.5, 2])
    assert annotation["num_keypoints"] == int((labels.confidence > 0).sum())
    v = np.where(labels.confidence[0] > 0.5, 2, np.ceil(labels.confidence[0]))
    assert set(v) == {0, 1, 2}
    assert annotation["keypoints"][2::3] == v.tolist()
    # Other programs know a missing joint by its zeros.
    for flat in (annotation["keypoints"], data["people"][0]["pose_keypoints_2d"]):
        points = np.array(flat).reshape(-1, 3)
        assert (points[:, 2] == 0).any()
        assert not points[points[:, 2] == 0].any()


@pytest.mark.skipif(not DRAWINGS.is_dir(), reason="needs the media folder")
@pytest.mark.parametrize("kind", ["csv", "charactergan", "webdataset", "coco"])
def test_a_dinosaur_with_its_tail(tmp_path: Path, kind: str) -> None:
    store = tmp_path / "store"
    assert call_preprocess("import", "charactergan", DRAWINGS / "dino", "--out", store, "--quiet") == 0
    before = Store.open(store)
    after = there_and_back(store, kind, tmp_path)
    fields = ("confidence", "keypoints") if kind == "coco" else EVERYTHING
    assert_kept(before, after, fields)
    assert after.info.skeleton.joints[-2:] == ("Tail-1", "Tail-2")
    assert (after.info.skeleton == before.info.skeleton) == (kind != "coco")
    assert len(canonical_joints(after.info.skeleton)) == 11


def test_expressions_of_a_stores_own_are_refused(tmp_path: Path) -> None:
    store = labelled_store(tmp_path / "store", lengths=(1,))
    labels = store.labels("walk_0")
    with StoreWriter(
        tmp_path / "own", CANONICAL25, ("smug", *store.info.expressions[1:]), 12, None, 4
    ) as writer:
        writer.add_clip(ClipRow("walk_0", "a", "train"), store.frames("walk_0"), labels)
    with pytest.raises(UserError, match="smug are the store's own; only webdataset"):
        export_store(tmp_path / "own", Format.CSV, tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
    export_store(tmp_path / "own", Format.WEBDATASET, tmp_path / "out", quiet=True)


def drawing_store(path: Path, clips: dict[str, tuple[str, int]]) -> Store:
    """Clip id -> character and frames."""
    with StoreWriter(path, TAILED, EXPRESSIONS, 12, None, 3) as writer:
        for name, (character, frames) in clips.items():
            labels = labels_of_track(random_track(frames, TAILED))
            writer.add_clip(ClipRow(name, character, "train"), pixels(frames), labels)
    return Store.open(path)


def test_drawings_of_several_characters_get_a_folder_each(tmp_path: Path) -> None:
    characters = {
        "a": ("../evil", 1),
        "b": (".. evil", 1),
        "c": ("Miko", 2),
        "d": ("miko", 1),
        "e": ("..", 1),
    }
    store = drawing_store(tmp_path / "store", characters)
    export_store(store.path, Format.CHARACTERGAN, tmp_path / "out", quiet=True)
    pictures = sorted(f.relative_to(tmp_path / "out").as_posix() for f in tmp_path.rglob("out/*/*.png"))
    assert pictures == [
        "Miko/c_00000.png", "Miko/c_00001.png", "_evil/a.png", "character/e.png", "evil/b.png", "miko_2/d.png",
    ]  # fmt: skip


def test_drawings_never_overwrite_each_other(tmp_path: Path) -> None:
    store = drawing_store(tmp_path / "store", {"a": ("hana", 2), "a_00001": ("hana", 1)})
    with pytest.raises(UserError, match=r"clip a_00001: another clip's frame is named a_00001\.png too"):
        export_store(store.path, Format.CHARACTERGAN, tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
