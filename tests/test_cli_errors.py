"""A user's mistake is one line on standard error that names what is wrong, with exit code 2 and no traceback."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from small_runs import (
    CLIP_GAN,
    OtherProcess,
    call,
    call_preprocess,
    config,
    config_file,
    environment,
    puppet_store,
)

from temporal_gan import cli
from temporal_gan.data.store import Store
from temporal_gan.training.run import train


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``store``, ``run`` and ``c.yaml``; not to be changed."""
    room = tmp_path_factory.mktemp("room")
    store = puppet_store(room / "store", clips=3, frames=4)
    config_file(room / "c.yaml", CLIP_GAN, train__steps=1)
    train(config(CLIP_GAN, train__steps=1), store.path, room / "run", quiet=True)
    return room


@pytest.fixture
def mistake(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must fail as a user's mistake does; returns the line."""

    def run(*arguments: object, command: Callable[..., int] = call) -> str:
        capfd.readouterr()
        code = command(*arguments)
        said = capfd.readouterr()
        assert code == 2, said.err
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert said.err.endswith("\n")
        assert "Traceback" not in said.err
        assert said.out == ""
        return said.err.removeprefix("error: ").rstrip("\n")

    return run


def training(
    room: Path, *more: object, store: Path | None = None, out: Path | None = None
) -> tuple[object, ...]:
    data, run = store or room / "store", out or room / "never"
    return "train", room / "c.yaml", *more, "--data", data, "--out", run, "--quiet"


def generating(room: Path, tmp_path: Path, **options: object) -> tuple[object, ...]:
    values = {
        "animator": room / "run",
        "pose": "motion:wave",
        "out": tmp_path / "a.gif",
        "frames": 2,
        **options,
    }
    return "generate", *[x for key, value in values.items() for x in (f"--{key}", value)], "--quiet"


def copy_of(store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(store, tmp_path / "copy", ignore=shutil.ignore_patterns("cache")))


# Configuration


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("losses.l1_wieght=3", "unknown key 'losses.l1_wieght'; did you mean 'l1_weight'?"),
        ("train.stpes=3", "unknown key 'train.stpes'; did you mean 'steps'?"),
        ("train.steps=many", "train.steps: Input should be a valid integer"),
        ("train.steps=0", "train.steps: "),
        ("train.steps", "override 'train.steps': expected key=value"),
        ("model.size=48", "model.size: Input should be 32"),
        ("losses.adversarial=wasserstein", "losses.adversarial: "),
        ("critics.frame.layers=5", "too many layers and scales for model.size 32"),
    ],
)
def test_configuration(room: Path, mistake: Callable[..., str], override: str, words: str) -> None:
    line = mistake(*training(room, override))
    assert line.startswith((str(room / "c.yaml"), "override"))
    assert words in line
    assert not (room / "never").exists()


def test_an_unknown_key_in_a_file(tmp_path: Path, room: Path, mistake: Callable[..., str]) -> None:
    file = config_file(tmp_path / "bad.yaml", CLIP_GAN, data__batchsize=3)
    line = mistake("train", file, "--data", room / "store", "--out", tmp_path / "run")
    assert line == f"{file}: unknown key 'data.batchsize'; did you mean 'batch'?"


def test_an_unknown_recipe(room: Path, mistake: Callable[..., str]) -> None:
    assert "recipes: base, " in mistake("train", "tinny", "--data", room / "store", "--out", room / "never")


# Stores


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


def test_a_truncated_video_to_evaluate(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    source = sorted((room / "store" / "video").iterdir())[0]
    video = tmp_path / source.name
    video.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    line = mistake("evaluate", video, room / "store", "--out", tmp_path / "out", "--quiet")
    assert line.startswith(f"{video}: truncated")


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


# Names and choices


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"character": "nobody"}, "--character 'nobody' is not one of this animator's: "),
        ({"expression": "hapy"}, "--expression 'hapy': expression 'hapy' is not one of: neutral, happy"),
        ({"expression": "happy:2"}, "--expression 'happy:2': "),
        ({"expression": "happy:much"}, "--expression 'happy:much': 'much' is not a number"),
        ({"pose": "motion:flying"}, "'flying' is not one of: "),
        ({"pose": "nowhere"}, "--pose 'nowhere': expected STORE#clip_id, motion:NAME"),
        ({"background": "nowhere.png"}, "--background 'nowhere.png': expected white, none, or a picture"),
        ({"device": "gpu"}, "device 'gpu' is not one of: auto, "),
    ],
)
def test_names(
    room: Path, tmp_path: Path, mistake: Callable[..., str], options: dict[str, object], words: str
) -> None:
    assert words in mistake(*generating(room, tmp_path, **options))
    assert not (tmp_path / "a.gif").exists()


def test_an_unknown_clip_of_a_store(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    assert "no clip 'nobody' among 3" in mistake(*generating(room, tmp_path, pose=f"{room / 'store'}#nobody"))


def test_an_unknown_protocol(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    line = mistake("evaluate", room / "run", room / "store", "--protocol", "clips", "--out", tmp_path / "out")
    assert line.startswith("--protocol 'clips' is not one of: clips_v1, frames_v1, ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--characters", "nobody"), "['nobody'] are not among: "),
        (("--motions", "flying"), "['flying'] are not among: "),
        (("--expressions", "bored"), "'bored' is not one of: "),
        (("--fps", 0), "fps is 0.0"),
        (("--coupling", 3), "coupling is 3.0"),
        (("--lighting", "noon"), "'noon' is not one of: day, "),
        (("--background", "sea"), "'sea' is not one of: transparent, "),
        (("--camera", "dolly"), "'dolly' is not one of: still, "),
        (("--degradation", "rain"), "'rain' is not one of: none, "),
        (("--hold-out-motions", "flying"), "held-out motions ['flying'] are in no clip"),
    ],
)
def test_puppets_that_there_are_not(
    tmp_path: Path, mistake: Callable[..., str], option: tuple[object, ...], words: str
) -> None:
    assert words in mistake("puppet", "--out", tmp_path / "s", "--clips", 1, "--quiet", *option)
    assert not (tmp_path / "s").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    words = "device cuda is not available here; this machine has: "
    assert words in mistake(*training(room, "train.device=cuda"))
    assert words in mistake(*generating(room, tmp_path, device="cuda"))
    arguments = ("evaluate", room / "run", room / "store", "--out", tmp_path / "out", "--device", "cuda")
    assert words in mistake(*arguments)


def test_what_generate_needs(room: Path, mistake: Callable[..., str]) -> None:
    assert mistake("generate", "--pose", "motion:walk").startswith("--animator is missing")
    for more in ((), ("--pose", "motion:walk"), ("--out", "a.gif")):
        line = mistake("generate", "--animator", room / "run", *more)
        assert line.startswith("--pose and --out are both needed")


# Weights files


class _Code:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["pickle", "torch"])
@pytest.mark.parametrize("command", ["generate", "sample", "evaluate"])
def test_a_pickle_as_weights_is_not_run(
    room: Path, tmp_path: Path, mistake: Callable[..., str], how: str, command: str
) -> None:
    file, code = tmp_path / "animator.safetensors", _Code(tmp_path / "executed")
    if how == "pickle":
        file.write_bytes(pickle.dumps(code))
    else:
        torch.save({"weights": code}, file)
    arguments: dict[str, tuple[object, ...]] = {
        "generate": generating(room, tmp_path, animator=file),
        "sample": ("sample", file, "--out", tmp_path / "a.png"),
        "evaluate": ("evaluate", file, room / "store", "--out", tmp_path / "out", "--quiet"),
    }
    line = mistake(*arguments[command])
    assert line.startswith(f"{file}: not a readable safetensors file")
    assert not (tmp_path / "executed").exists()


def test_weights_that_are_missing_cut_or_of_another_kind(
    room: Path, tmp_path: Path, mistake: Callable[..., str]
) -> None:
    whole = (room / "run" / "animator.safetensors").read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[: len(whole) // 2])
    assert mistake(*generating(room, tmp_path, animator=cut)).startswith(
        f"{cut}: not a readable safetensors file"
    )
    missing = tmp_path / "missing.safetensors"
    assert mistake(*generating(room, tmp_path, animator=missing)) == f"{missing}: no such weights file"
    assert "a run writes it" in mistake(*generating(room, tmp_path, animator=tmp_path))
    line = mistake("sample", room / "run" / "animator.safetensors", "--out", tmp_path / "a.png")
    assert "use `temporal-gan generate` with it" in line


# Where things go


def test_a_puppet_store_is_never_written_over(room: Path, mistake: Callable[..., str]) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in (room / "store").rglob("*"))
    line = mistake("puppet", "--out", room / "store", "--clips", 1, "--quiet")
    assert line == f"{room / 'store'}: is not empty; remove it or name another folder"
    assert sorted((p, p.stat().st_mtime_ns) for p in (room / "store").rglob("*")) == before


@pytest.mark.parametrize("suffix", [".xyz", ".avi"])
def test_an_unknown_format(room: Path, tmp_path: Path, mistake: Callable[..., str], suffix: str) -> None:
    line = mistake(*generating(room, tmp_path, out=tmp_path / f"a{suffix}"))
    assert f"cannot write '{suffix}'; use .mp4" in line


def unwritable(tmp_path: Path) -> Path:
    """A place where nobody, not even root, can make a folder: inside a file."""
    (tmp_path / "file").write_text("no folder")
    return tmp_path / "file"


@pytest.mark.parametrize("below", ["", "deeper"])
def test_nothing_can_be_written_there(
    room: Path, tmp_path: Path, mistake: Callable[..., str], below: str
) -> None:
    out = unwritable(tmp_path) / below
    assert str(out) in mistake(*training(room, out=out))
    assert str(out) in mistake("puppet", "--out", out, "--clips", 1, "--frames", 2, "--size", 32, "--quiet")
    assert str(out) in mistake("evaluate", room / "store", room / "store", "--out", out, "--quiet")
    assert (tmp_path / "file").read_text() == "no folder"


def test_no_clip_can_be_written_there(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    out = unwritable(tmp_path)
    assert str(out / "a.gif") in mistake(*generating(room, tmp_path, out=out / "a.gif"))
    assert (tmp_path / "file").read_text() == "no folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert str(locked) in mistake(*training(room, out=locked / "run"))
    assert str(locked) in mistake(*generating(room, tmp_path, out=locked / "a.gif"))


# Exit codes of the other kinds


def test_our_own_fault_keeps_its_traceback(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(cli, "load_animator", broken)
    with pytest.raises(RuntimeError, match="a defect of ours"):
        call(*generating(room, tmp_path))


def test_ctrl_c_without_anything_to_save(room: Path, tmp_path: Path) -> None:
    arguments = ("puppet", "--out", tmp_path / "s", "--clips", 2000, "--size", 128, "--quiet")
    other = OtherProcess(tmp_path / "log", call, *arguments)
    other.wait_for((tmp_path / "s" / "video" / "puppet_000000.mkv").exists)
    other.send(signal.SIGINT)
    assert other.wait() == 130, other.output()
    assert "Traceback" not in other.output()


def test_in_a_fresh_interpreter(tmp_path: Path) -> None:
    """As a user's shell sees it; the tests above run in this process."""
    code = "from temporal_gan.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "train",
        "tiny",
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "run"),
    ]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert (run.stdout, run.stderr) == ("", f"error: {tmp_path}: is no clip store (no store.json in it)\n")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("train", "tiny", "--foo"), "--foo"),
        (("walk",), "walk"),
        (("puppet", "--out", "x", "--clips", "many"), "--clips"),
        (("train", "tiny"), "--data"),
    ],
)
def test_a_mistake_in_the_command_itself(
    arguments: tuple[str, ...], what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert what in err
    assert err.count("\n") == 1
    assert "--help" in err


def test_a_missing_folder_is_said_before_any_progress(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call("evaluate", tmp_path / "no", tmp_path / "nor", "--out", tmp_path / "out") == 2
    assert capfd.readouterr().err == f"error: {tmp_path / 'no'}: no such store, folder or clip\n"
