"""Puppets, motions and splits that there are not."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--characters", "nobody"), "['nobody'] are not among: "),
        (("--characters", "sample:x"), "'x' is not a whole number"),
        (("--characters", ","), "--characters ',': holds no name"),
        (("--motions", "flying"), "['flying'] are not among: "),
        (("--motions", "walk@speed=abc"), "speed is 'abc', expected a number"),
        (("--motions", "walk>"), "a name is missing"),
        (("--motions", " , "), "--motions ' , ': holds no name"),
        (("--motions", "bvh:/nonexistent"), "/nonexistent: cannot be read"),
        (("--motions", "openpose:/nonexistent"), "/nonexistent: no such folder"),
        (("--expressions", "bored"), "'bored' is not one of: "),
        (("--expressions", ","), "--expressions ',': holds no name"),
        (("--fps", 0), "fps is 0.0"),
        (("--fps", -1), "fps is -1.0"),
        (("--fps", "inf"), "fps is inf"),
        (("--fps", "nan"), "fps is nan"),
        (("--coupling", 3), "coupling is 3.0"),
        (("--coupling", "nan"), "coupling is nan"),
        (("--lighting", "noon"), "'noon' is not one of: day, "),
        (("--background", "sea"), "'sea' is not one of: transparent, "),
        (("--camera", "dolly"), "'dolly' is not one of: still, "),
        (("--degradation", "rain"), "'rain' is not one of: none, "),
        (("--hold-out-motions", "flying"), "held-out motions ['flying'] are in no clip"),
        (("--hold-out-motions", ","), "--hold-out-motions ',': holds no name"),
        (("--motions", "walk>wave", "--hold-out-motions", "wave"), "all 1 clips are held out"),
        (("--characters", "hana", "--hold-out-characters", "hana"), "all 1 clips are held out"),
    ],
)
def test_puppets_that_there_are_not(
    tmp_path: Path, mistake: Callable[..., str], option: tuple[object, ...], words: str
) -> None:
    assert words in mistake("puppet", "--out", tmp_path / "s", "--clips", 1, "--quiet", *option)
    assert not (tmp_path / "s").exists()


def test_a_puppet_store_is_never_written_over(room: Path, mistake: Callable[..., str]) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in (room / "store").rglob("*"))
    line = mistake("puppet", "--out", room / "store", "--clips", 1, "--quiet")
    assert line == f"{room / 'store'}: is not empty; remove it or name another folder"
    assert sorted((p, p.stat().st_mtime_ns) for p in (room / "store").rglob("*")) == before


def test_a_performance_that_cannot_be_read(tmp_path: Path, mistake: Callable[..., str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.bvh").write_text("HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\n")
    for motion, words in (
        (f"openpose:{tmp_path / 'empty'}", f"{tmp_path / 'empty'}: no OpenPose .json files"),
        (f"bvh:{tmp_path / 'cut.bvh'}", f"{tmp_path / 'cut.bvh'}:4: the file ends here"),
    ):
        line = mistake("puppet", "--out", tmp_path / "s", "--clips", 1, "--motions", motion, "--quiet")
        assert line.startswith(words)
    assert not (tmp_path / "s").exists()


def test_a_store_where_a_file_is(tmp_path: Path, mistake: Callable[..., str]) -> None:
    (tmp_path / "file").write_text("no folder")
    line = mistake("puppet", "--out", tmp_path / "file", "--clips", 1, "--quiet")
    assert line == f"{tmp_path / 'file'}: is a file, and a store is a folder; name another place"
    assert (tmp_path / "file").read_text() == "no folder"
