"""The drawings importer, on a tiny folder with every mistake in turn, and on real drawings where they are."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preprocessing import cli
from preprocessing.importers.charactergan import import_charactergan
from temporal_gan.alpha import over_white
from temporal_gan.data.store import Store
from temporal_gan.data.validation import validate_store
from temporal_gan.drawings import read_charactergan
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.video_io import read_picture

DRAWINGS = Path(__file__).parents[2] / "../shared/media/drawings"

KEYPOINTS = """\
Head,3,2,Pose (1).png
Left-Hand,0,5,Pose (1).png
right-hand,8,5,Pose (1).png
Tail,4.5,7,Pose (1).png
right-hand,1,1,Pose (10).png
Head,10,0,Pose (10).png
"""
SKELETON = "Head,Tail,,\nLeft-Hand,Tail,,\nright-hand,Tail,,\nTail,Head,Left-Hand,right-hand\n"
LAYERS = "Tail,1\nHead,1\nLeft-Hand,0\nright-hand,2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "tiny hero"
    path.mkdir()
    for number in (1, 2, 10):
        Image.new("RGB", (10, 8), (number, 0, 0)).save(path / f"Pose ({number}).png")
    (path / "keypoints.csv").write_text(KEYPOINTS)
    (path / "keypoints_skeleton.csv").write_text(SKELETON)
    (path / "keypoints_layers.csv").write_text(LAYERS)
    return path


def test_drawings_become_one_frame_clips(folder: Path, tmp_path: Path) -> None:
    import_charactergan(folder, tmp_path / "s", ["Pose (2).png"], licence="CC0-1.0")
    store = validate_store(tmp_path / "s", deep=True)
    assert [(r.id, r.split, r.source, r.frames) for r in store.clips] == [
        ("Pose_1", "train", "Pose (1).png", 1),
        ("Pose_2", "test", "Pose (2).png", 1),
        ("Pose_10", "train", "Pose (10).png", 1),
    ]
    info = store.info
    assert info.characters == ("tiny hero",)
    assert info.expressions == EXPRESSIONS
    assert info.channels == 3
    assert not info.mixed_sizes
    assert info.skeleton.joints == ("Head", "Left-Hand", "right-hand", "Tail")
    assert info.skeleton.edges == ((3, 0), (3, 1), (3, 2))
    assert info.skeleton.flip_pairs == ((1, 2),)
    assert info.skeleton.layers == (1, 0, 2, 1)
    assert [int(store.frames(r.id)[0, 0, 0, 0]) for r in store.clips] == [1, 2, 10]
    assert store.clips[0].licence == "CC0-1.0"
    labels = store.labels("Pose_1")
    assert labels.keypoints[0] * (10, 8) == pytest.approx(
        np.array([[3.5, 2.5], [0.5, 5.5], [8.5, 5.5], [5, 7.5]])
    )
    assert labels.confidence.tolist() == [[1, 1, 1, 1]]
    assert labels.layer.tolist() == [[1, 0, 2, 1]]
    assert labels.origin == ("imported",)
    assert (labels.expression_confidence == 0).all()
    assert store.labels("Pose_2").confidence.tolist() == [[0, 0, 0, 0]]
    ten = store.labels("Pose_10")
    assert ten.confidence.tolist() == [[1, 0, 1, 0]]
    assert ten.keypoints[0, 0].tolist() == [1.0, 0.0625]  # on the far edge line


def test_sizes_and_alpha_may_differ(folder: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (30, 40), (255, 0, 0, 128)).save(folder / "Pose (2).png")
    info = import_charactergan(folder, tmp_path / "s")
    assert (info.mixed_sizes, info.width, info.height, info.channels) == (True, 30, 40, 4)
    store = Store.open(tmp_path / "s")
    assert store.frames("Pose_2")[0, 0, 0].tolist() == [128, 0, 0, 128]
    assert store.frames("Pose_1")[0, 0, 0].tolist() == [1, 0, 0, 255]


def test_names_that_become_alike_stay_apart(folder: Path, tmp_path: Path) -> None:
    for name in ("Pose [1].png", "pose_1.png", "猫.png", "_.png"):
        Image.new("RGB", (10, 8)).save(folder / name)
    import_charactergan(folder, tmp_path / "s")
    ids = [r.id for r in Store.open(tmp_path / "s").clips]
    assert len({i.lower() for i in ids}) == len(ids) == 7
    assert {"drawing", "drawing_2"} < set(ids)


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("arm_l", "arm_r", "tail"), ((0, 1),)),
        (("L.arm", "R.arm", "l.leg", "r.leg"), ((0, 1), (2, 3))),
        (("LeftEye", "RightEye", "left"), ((0, 1),)),
        (("lr", "rr", "Left-Wing"), ()),
    ],
)
def test_flip_pairs_come_from_names(folder: Path, names: tuple[str, ...], pairs: tuple) -> None:
    (folder / "keypoints_skeleton.csv").write_text("".join(f"{n},\n" for n in names))
    (folder / "keypoints_layers.csv").write_text("".join(f"{n},0\n" for n in names))
    (folder / "keypoints.csv").write_text(f"{names[0]},1,1,Pose (1).png\n")
    assert read_charactergan(folder).skeleton.flip_pairs == pairs


def line(text: str) -> Callable[[str], str]:
    return lambda old: old + text + "\n"


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "keypoints.csv",
            line("Heed,1,1,Pose (2).png"),
            r"keypoints\.csv:7: label 'Heed'.*did you mean 'Head'\?",
        ),
        ("keypoints.csv", line("Head,1,one,Pose (2).png"), r"keypoints\.csv:7: y 'one' is not a number"),
        ("keypoints.csv", line("Head,nan,1,Pose (2).png"), r"keypoints\.csv:7: x 'nan' is not a number"),
        ("keypoints.csv", line("Head,11,1,Pose (2).png"), r"csv:7: 'Head' at \(11, 1\) is outside .*, 10x8"),
        (
            "keypoints.csv",
            line("Head,1,1,Pose (3).png"),
            r"csv:7: no drawing 'Pose \(3\)\.png' .*did you mean",
        ),
        (
            "keypoints.csv",
            line("Head,1,1,Pose (1).png"),
            r"csv:7: 'Head' of .* given before, at .*keypoints\.csv:1",
        ),
        ("keypoints.csv", line("Head,1,1"), r"csv:7: expected label,x,y,file"),
        ("keypoints.csv", lambda old: "", r"keypoints\.csv: no keypoints"),
        (
            "keypoints_skeleton.csv",
            line("Head,Tail"),
            r"skeleton\.csv:5: joint 'Head' is empty or has a row already",
        ),
        ("keypoints_skeleton.csv", line("Horn,Nose"), r"skeleton\.csv:5: neighbour 'Nose' of 'Horn'"),
        ("keypoints_skeleton.csv", line("Horn,Head"), r"layers\.csv: no row for Horn"),
        ("keypoints_layers.csv", line("Horn,1"), r"layers\.csv:5: expected joint,layer"),
        (
            "keypoints_layers.csv",
            lambda old: old.replace("Tail,1", "Tail,1.5"),
            r"layers\.csv:1: layer '1\.5'",
        ),
    ],
)
def test_mistakes_are_named_by_file_and_line(
    folder: Path, file: str, change: Callable[[str], str], message: str
) -> None:
    (folder / file).write_text(change((folder / file).read_text()))
    with pytest.raises(UserError, match=message):
        read_charactergan(folder)


def test_missing_files_are_named(folder: Path) -> None:
    (folder / "keypoints_layers.csv").unlink()
    with pytest.raises(UserError, match=r"keypoints_layers\.csv: no such file"):
        read_charactergan(folder)
    (folder / "Pose (2).png").write_text("no picture")
    with pytest.raises(UserError, match=r"layers\.csv|Pose \(2\)\.png"):
        read_charactergan(folder)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["temporal-gan-preprocess", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_commands_and_exit_codes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("import", "charactergan", folder, "--out", tmp_path / "s")
    assert run(monkeypatch, *command, "--hold-out", "Pose (20).png") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--hold-out: no drawing 'Pose (20).png'" in error
    assert "did you mean 'Pose (2).png'?" in error
    assert not (tmp_path / "s").exists()
    assert run(monkeypatch, *command, "--hold-out", "Pose (1).png, Pose (2).png,Pose (10).png") == 2
    assert "none is left to train on" in capsys.readouterr().err
    assert run(monkeypatch, *command, "--hold-out", "Pose (2).png") == 0
    assert "3 drawings (2 train, 1 test), 4 joints, 10x8" in capsys.readouterr().out
    assert run(monkeypatch, *command) == 2
    assert "is not empty" in capsys.readouterr().err
    assert run(monkeypatch, "validate", tmp_path / "s", "--deep", "--quiet") == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "s/video/Pose_1.mkv").unlink()
    assert run(monkeypatch, "validate", tmp_path / "s") == 2
    assert "Pose_1.mkv: is missing" in capsys.readouterr().err
    assert run(monkeypatch, "import", "charactergan") == 2
    assert run(monkeypatch, "--help") == 0

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "validate_store", interrupted)
    assert run(monkeypatch, "validate", tmp_path / "s") == 130


@pytest.mark.skipif(not DRAWINGS.is_dir(), reason="needs the media folder")
@pytest.mark.parametrize(
    ("name", "held", "clips", "pairs"),
    [
        ("watercolor-man", ["0010.jpg", "0045.jpg", "0080.jpg"], 15, 6),
        ("dino", ["Walk (3).jpeg", "Walk (7).jpeg"], 10, 4),
    ],
)
def test_real_drawings(tmp_path: Path, name: str, held: list[str], clips: int, pairs: int) -> None:
    info = import_charactergan(DRAWINGS / name, tmp_path / "s", held)
    assert (info.clips, info.width, info.height, len(info.skeleton.flip_pairs)) == (clips, 250, 250, pairs)
    assert len(info.skeleton.edges) == 13
    store = validate_store(tmp_path / "s", deep=True)
    assert [r.source for r in store.split("test")] == held
    for row in store.clips:
        labels = store.labels(row.id)
        assert (labels.confidence == 1).all()
        assert (store.frames(row.id)[0] == over_white(read_picture(DRAWINGS / name / row.source))).all()
