"""Decisions: who wins over whom, and a line number for every mistake."""

from pathlib import Path

import pytest

from preprocessing.decisions import Decisions, read_decisions
from temporal_gan.errors import UserError


def read(folder: Path, text: str) -> Decisions:
    file = folder / "decisions.csv"
    file.write_text(text, encoding="utf-8")
    return read_decisions(file)


def test_a_clips_own_line_wins_over_its_sources(tmp_path: Path) -> None:
    decisions = read(
        tmp_path,
        "clip,source,decision,why,who,when\n"
        ',"walk, cycle.mp4",reject,"two people, one dog",Kim,2026-05-01\n'
        "\n"
        "walk_002,,Keep,,,\n"
        "run_001,,reject,,,\n",
    )
    assert decisions.decide("walk_001", "walk, cycle.mp4") == "reject"
    assert decisions.decide("walk_002", "walk, cycle.mp4") == "keep"
    assert decisions.decide("run_001", "run.mp4") == "reject"
    assert decisions.decide("run_002", "run.mp4") is None
    found = decisions.find("walk_001", "walk, cycle.mp4")
    assert found is not None
    assert (found.line, found.when, found.reason()) == (
        2,
        "2026-05-01",
        "decision: two people, one dog (Kim)",
    )


def test_columns_may_be_few_and_in_any_order_and_a_repeated_line_does_no_harm(tmp_path: Path) -> None:
    decisions = read(tmp_path, "\ufeffdecision, clip\r\nkeep,a\r\nkeep,a\r\n")
    assert decisions.decide("a", "whatever") == "keep"
    assert decisions.clips["a"].reason() == "decision: no reason given"


def test_what_is_not_there_is_told_with_its_line_and_the_likely_name(tmp_path: Path) -> None:
    decisions = read(tmp_path, "clip,source,decision\nwalk_001,,keep\n,wolk.mp4,reject\nrun_9,,keep\n")
    told = decisions.unknown(["walk_001"], ["walk.mp4"])
    assert told == [
        f"{tmp_path / 'decisions.csv'}:3: no source 'wolk.mp4'; did you mean 'walk.mp4'?",
        f"{tmp_path / 'decisions.csv'}:4: no clip 'run_9'",
    ]
    assert Decisions().unknown([], []) == []


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "needs a column 'decision'"),
        ("clip,why\n", 1, "needs a column 'decision'"),
        ("clip,verdict\n", 1, "unknown column 'verdict'"),
        ("clip,clip,decision\n", 1, "a column twice"),
        ("clip,decision\na,maybe\n", 2, "'maybe' is not keep or reject"),
        ("clip,source,decision\na,keep\n", 2, "as the header (3)"),
        ("clip,decision\nkeep me, please,keep\n", 2, "double quotes"),
        ("clip,source,decision\n,,keep\n", 2, "got neither"),
        ("clip,source,decision\na,b,keep\n", 2, "got both"),
        ("clip,decision\na,keep\nb,keep\na,reject\n", 4, "line 2 says keep"),
        ('clip,decision\na,"keep\n', 2, "is no CSV"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, line: int, word: str) -> None:
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert f"decisions.csv:{line}: " in message
    assert word in message
    assert "\n" not in message


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file of decisions"):
        read_decisions(tmp_path / "none.csv")
    (tmp_path / "zip.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(UserError, match=r"zip\.csv: cannot be read as UTF-8"):
        read_decisions(tmp_path / "zip.csv")
