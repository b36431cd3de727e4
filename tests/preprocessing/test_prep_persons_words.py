"""What a person has said of sources, clips and cuts holds however the inputs and the cuts change."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_inputs import QUICK, SHOT, write_inputs
from small_runs import call_preprocess

from temporal_gan.data.store import Store

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two videos, ``film 0.mp4`` and ``film 1.mp4``, and another in a folder of its own, ``more/film 2.mp4``."""
    folder = write_inputs(tmp_path_factory.mktemp("films") / "films", files=3)
    (folder.parent / "more").mkdir()
    (folder / "film 2.mp4").rename(folder.parent / "more" / "film 2.mp4")
    return folder


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """A run into ``tmp_path / "store"``; returns the exit code and the lines of its errors."""

    def do(*arguments: object) -> tuple[int, list[str]]:
        capfd.readouterr()
        changes = [word for change in QUICK for word in ("--set", change)]
        code = call_preprocess(
            "run", "--out", tmp_path / "store", "--licence", "CC0-1.0", "--quiet", *changes, *arguments
        )
        return code, capfd.readouterr().err.splitlines()

    return do


def clips(tmp_path: Path) -> dict[str, str]:
    """Clip id -> source of the store."""
    return {row.id: row.source for row in Store.open(tmp_path / "store").clips}


def test_another_input_changes_no_name_and_undoes_no_decision(films: Path, tmp_path: Path, run: Run) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("source,decision\nfilm 1.mp4,reject\n")
    assert run(films, "--decisions", decisions) == (0, [])
    before = clips(tmp_path)
    assert set(before.values()) == {"film 0.mp4"}
    made = set((tmp_path / "store.work").glob("clips/*/*"))
    assert run(films, films.parent / "more", "--decisions", decisions) == (0, [])
    after = clips(tmp_path)
    assert set(after.values()) == {"film 0.mp4", "film 2.mp4"}
    assert before.items() <= after.items()
    # Nothing is made again.
    assert len(set((tmp_path / "store.work").glob("clips/*/*")) - made) == 2


def test_a_decision_of_nothing_is_told(films: Path, tmp_path: Path, run: Run) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("source,decision\nfilms/film 1.mp4,reject\n")
    told = "decisions.csv:2: no source 'films/film 1.mp4'; did you mean 'film 1.mp4'?"
    for _ in range(2):
        assert run(films, "--decisions", decisions) == (0, [f"without effect: {told}"])


def test_a_new_cut_moves_no_decision_to_another_shot(films: Path, tmp_path: Path, run: Run) -> None:
    film, decisions, cuts = films / "film 0.mp4", tmp_path / "decisions.csv", tmp_path / "cuts.csv"
    assert run(film) == (0, [])
    first, second = Store.open(tmp_path / "store").clips
    decisions.write_text(f"clip,decision\n{second.id},reject\n")
    cuts.write_text(f"source,second,score,keep\nfilm 0.mp4,0.25,,yes\nfilm 0.mp4,{second.start},,yes\n")
    short = ("--set", "shots.min_seconds=0.1")
    assert run(film, "--decisions", decisions, "--cuts", cuts, *short) == (0, [])
    rows = Store.open(tmp_path / "store").clips
    assert [(row.start, row.frames) for row in rows] == [(0.0, 6), (0.25, SHOT - 6)]
    assert rows[0].id == first.id
