"""Names, pose sources, weights files and formats that generate and sample cannot use."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command_lines import generating, unwritable


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


def test_what_generate_needs(room: Path, mistake: Callable[..., str]) -> None:
    for more in ((), ("--pose", "motion:walk"), ("--out", "a.gif")):
        line = mistake("generate", "--animator", room / "run", *more)
        assert line.startswith("--pose and --out are both needed")


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


@pytest.mark.parametrize("suffix", [".xyz", ".avi"])
def test_an_unknown_format(room: Path, tmp_path: Path, mistake: Callable[..., str], suffix: str) -> None:
    line = mistake(*generating(room, tmp_path, out=tmp_path / f"a{suffix}"))
    assert f"cannot write '{suffix}'; use .mp4" in line


def test_no_clip_can_be_written_there(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    out = unwritable(tmp_path)
    assert str(out / "a.gif") in mistake(*generating(room, tmp_path, out=out / "a.gif"))
    assert (tmp_path / "file").read_text() == "no folder"


def test_a_clip_where_a_folder_is(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    (tmp_path / "a.gif").mkdir()
    line = mistake(*generating(room, tmp_path, out=tmp_path / "a.gif"))
    assert line.startswith(f"{tmp_path / 'a.gif'}: is a folder, expected a file to write")
