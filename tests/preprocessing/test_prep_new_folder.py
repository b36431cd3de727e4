"""A folder is there whole or not at all, whatever ends the work on it."""

from pathlib import Path

import pytest

from preprocessing.new_folder import new_folder
from temporal_gan.errors import UserError


def test_it_appears_when_the_work_is_done(tmp_path: Path) -> None:
    with new_folder(tmp_path / "deep" / "猫") as folder:
        (folder / "a").write_text("a")
        assert not (tmp_path / "deep/猫").exists()
    assert [f.relative_to(tmp_path).as_posix() for f in sorted(tmp_path.rglob("*"))] == [
        "deep",
        "deep/猫",
        "deep/猫/a",
    ]
    (tmp_path / "empty").mkdir()
    with new_folder(tmp_path / "empty") as folder:
        (folder / "b").write_text("b")
    assert (tmp_path / "empty/b").read_text() == "b"
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "empty").stat().st_mode == (tmp_path / "plain").stat().st_mode, (
        "others may look into it"
    )


@pytest.mark.parametrize("end", [KeyboardInterrupt, UserError, OSError])
def test_nothing_stays_of_work_that_was_stopped(tmp_path: Path, end: type[BaseException]) -> None:
    def work() -> None:
        with new_folder(tmp_path / "out") as folder:
            (folder / "a").write_text("a")
            raise end("stopped")

    with pytest.raises(end, match="stopped"):
        work()
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path, words in (
        (tmp_path, "is not empty"),
        (tmp_path / "file", "is a file, expected a new folder"),
        (tmp_path / "file" / "out", "cannot be written"),
    ):
        with pytest.raises(UserError, match=words), new_folder(path):
            pytest.fail("the work began")
    assert [f.read_text() for f in tmp_path.iterdir()] == ["mine"]
