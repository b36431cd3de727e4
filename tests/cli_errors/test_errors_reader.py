"""What a reader cannot be, read or be trained on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import call


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("check", "nobody", "STORE"), "reader 'nobody': neither a file, nor a run with reader.safetensors"),
        (("check", "metrics", "EMPTY"), "EMPTY: is no clip store"),
        (("check", "JUNK", "STORE"), "JUNK: not a readable safetensors file"),
        (("train", "reader", "--out", "RUN", "--start", "nobody"), "reader 'nobody': neither a file"),
        (("train", "reader", "--out", "RUN", "--data", "EMPTY"), "EMPTY: is no clip store"),
        (("train", "tiny", "--out", "RUN"), "tiny.yaml: unknown key 'model.kind'"),
    ],
)
def test_a_reader_that_is_none(
    words: tuple[str, ...], line: str, room: Path, tmp_path: Path, mistake: Callable[..., str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    places = {
        "STORE": room / "store",
        "EMPTY": tmp_path / "empty",
        "JUNK": tmp_path / "junk.safetensors",
        "RUN": tmp_path / "run",
    }
    said = mistake("reader", *(places.get(word, word) for word in words), "--quiet")
    for name, place in places.items():
        line = line.replace(name, str(place))
    assert line in said
    assert not (tmp_path / "run").exists()


def test_an_unknown_split_is_said_before_any_progress(room: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert call("reader", "check", "metrics", room / "store", "--split", "moon") == 2
    assert capfd.readouterr().err == f"error: {room / 'store'}: no clips in split 'moon'\n"


def test_a_recipe_of_a_reader_is_none_of_a_generator(
    room: Path, tmp_path: Path, mistake: Callable[..., str]
) -> None:
    line = mistake("train", "reader", "--data", room / "store", "--out", tmp_path / "run", "--quiet")
    assert "model.kind is missing" in line
    assert not (tmp_path / "run").exists()


def test_an_evaluation_by_a_reader_that_is_none(
    room: Path, tmp_path: Path, mistake: Callable[..., str]
) -> None:
    arguments = ("evaluate", room / "store", room / "store", "--out", tmp_path / "out", "--quiet", "--reader")
    assert mistake(*arguments, "nobody").startswith("reader 'nobody': neither a file")
    line = mistake(*arguments, "loss", "--protocol", "fvd2048_16f")
    assert "fvd2048_16f judges by i3d; leave --reader out" in line
    assert not (tmp_path / "out").exists()
