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


def starts(tmp_path: Path) -> dict[str, list[int]]:
    """Source -> first frames of its clips."""
    found: dict[str, list[int]] = {}
    for row in Store.open(tmp_path / "store").clips:
        found.setdefault(row.source, []).append(round(row.start * 24))
    return found


def edited(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return file


def test_cuts_that_a_person_has_set_stay_without_being_named_again(
    films: Path, tmp_path: Path, run: Run
) -> None:
    cuts, list_ = tmp_path / "mine.csv", tmp_path / "store" / "cuts.csv"
    cuts.write_text("source,second,score,keep\nfilm 0.mp4,0.25,,yes\n")
    assert run(films, "--cuts", cuts) == (0, [])
    cut = {"film 0.mp4": [0, 6], "film 1.mp4": [0, SHOT]}
    assert starts(tmp_path) == cut
    before = list_.read_text()
    assert before.startswith("source,second,score,keep\nfilm 0.mp4,0.250,0.0,yes\nfilm 1.mp4,")
    assert run(films) == (0, [])
    assert (starts(tmp_path), list_.read_text()) == (cut, before)
    # Other settings find other cuts in the other film, and none in the one that was set by hand.
    assert run(films, "--set", "shots.threshold=100", "--set", "shots.faint=1") == (0, [])
    assert starts(tmp_path) == cut | {"film 1.mp4": [0]}
    # Another file without that film gives its cuts up, and says so.
    cuts.write_text("source,second,score,keep\nfilm 1.mp4,0.5,,yes\n")
    told = f"film 0.mp4: cut anew, since {cuts} has no line of it; the store had yours"
    assert run(films, "--cuts", cuts) == (0, [told])
    assert starts(tmp_path) == {"film 0.mp4": [0, SHOT], "film 1.mp4": [0, 12]}


def test_cuts_of_a_source_that_is_away_stay(films: Path, tmp_path: Path, run: Run) -> None:
    list_ = tmp_path / "store" / "cuts.csv"
    assert run(films) == (0, [])
    edited(list_, f"film 1.mp4,{SHOT / 24:.3f}", "film 1.mp4,0.250")
    told = "without effect: film 1.mp4: cuts.csv, line 3: a cut of none of the sources"
    for words in ([], ["--cuts", list_]):
        assert run(films / "film 0.mp4", *words) == (0, [told])
        assert "film 1.mp4,0.250" in list_.read_text()
    assert run(films) == (0, [])
    assert starts(tmp_path) == {"film 0.mp4": [0, SHOT], "film 1.mp4": [0, 6]}


def test_the_list_of_cuts_may_be_changed_where_it_lies(films: Path, tmp_path: Path, run: Run) -> None:
    list_ = tmp_path / "store" / "cuts.csv"
    assert run(films) == (0, [])
    edited(list_, f"film 0.mp4,{SHOT / 24:.3f}", "film 0.mp4,0.333")
    for _ in range(2):
        assert run(films) == (0, [])
        assert starts(tmp_path) == {"film 0.mp4": [0, 8], "film 1.mp4": [0, SHOT]}
    # Without a line, it is cut where it shows again.
    kept = [line for line in list_.read_text().splitlines(True) if not line.startswith("film 0")]
    list_.write_text("".join(kept))
    assert run(films) == (0, [])
    assert starts(tmp_path) == {"film 0.mp4": [0, SHOT], "film 1.mp4": [0, SHOT]}


def test_words_in_a_store_that_a_killed_run_has_moved_aside_hold(
    films: Path, tmp_path: Path, run: Run
) -> None:
    decisions = tmp_path / "decisions.csv"
    decisions.write_text("source,decision\nfilm 1.mp4,reject\n")
    assert run(films, "--decisions", decisions) == (0, [])
    (tmp_path / "store").rename(tmp_path / ".store.old")
    assert run(films) == (0, [])
    assert set(clips(tmp_path).values()) == {"film 0.mp4"}


def test_the_list_of_cuts_given_back_as_it_is_makes_nothing_again(
    films: Path, tmp_path: Path, run: Run
) -> None:
    assert run(films) == (0, [])
    before = {piece: piece.stat().st_mtime_ns for piece in (tmp_path / "store.work").glob("clips/*/*")}
    held = clips(tmp_path)
    assert run(films, "--cuts", tmp_path / "store" / "cuts.csv") == (0, [])
    assert clips(tmp_path) == held
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "store.work").glob("clips/*/*")} == before
