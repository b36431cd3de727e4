"""Tables of several ways of making clips, and the records they are kept in."""

import json
from pathlib import Path

import pytest
from records import own_command, write_record
from scoreboard import Measure, figure, markdown, scoreboard, to_json

WHO = {"a": "hana", "b": "hana", "c": "miko", "d": "ren"}
REAL = {name: {"error": value} for name, value in zip("abcd", (1.0, 1.0, 2.0, 4.0), strict=True)}


def test_a_mean_and_a_ratio_of_means() -> None:
    made = {"a": {"error": 2.0}, "b": {"error": 2.0}, "c": {"error": 4.0}, "d": {"error": 8.0}}
    mean = figure(Measure("error", "error", 2), made, REAL, WHO)
    assert mean is not None
    assert (mean.value, mean.clips) == (4.0, 4)
    assert mean.interval is not None
    # Three characters: of the resamples the lowest mean is hana's alone, the highest ren's.
    assert mean.interval == pytest.approx((2.0, 8.0))
    ratio = figure(Measure("error", "error", 2, of_real=True), made, REAL, WHO)
    assert ratio is not None
    assert (ratio.value, ratio.interval) == (2.0, (2.0, 2.0))
    assert ratio.shown(1) == "2.0 [2.0, 2.0]"


def test_only_clips_that_have_a_value_count() -> None:
    made = {"a": {}, "b": {"error": 3.0}, "c": {"other": 1.0}, "d": {}}
    found = figure(Measure("error", "error", 2), made, REAL, WHO)
    assert found is not None
    assert (found.value, found.interval, found.clips) == (3.0, None, 1)
    assert figure(Measure("nothing", "nothing", 2), made, REAL, WHO) is None


def test_a_table_has_a_row_a_way_and_a_dash_for_nothing() -> None:
    measures = (Measure("error", "error", 1), Measure("nothing", "nothing", 1))
    board = scoreboard(measures, {"real": REAL, "made": {"a": {"error": 0.5}}}, REAL, WHO)
    assert markdown(measures, board).splitlines() == [
        "|  | error | nothing |",
        "|---|---|---|",
        "| real | 2.0 [1.0, 4.0] | - |",
        "| made | 0.5 | - |",
    ]
    assert to_json(board)["made"] == {"error": {"value": 0.5, "interval": None, "clips": 1}, "nothing": None}


def test_a_record_has_an_entry_a_command(tmp_path: Path) -> None:
    first = write_record("one", {"figure": 1}, tmp_path)
    assert write_record("two", {"figure": 2}, tmp_path) == first
    write_record("one", {"figure": 3}, tmp_path)
    entries = json.loads(first.read_text())
    assert {name: entry["figure"] for name, entry in entries.items()} == {"one": 3, "two": 2}
    assert first.name.count("_") >= 2
    assert entries["one"]["hardware"] in first.name


def test_a_command_names_no_place_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/far/away/benchmarks/it.py", "--work", "/far/away/work", "runs/a"])
    assert own_command() == "python benchmarks/it.py --work work runs/a"
