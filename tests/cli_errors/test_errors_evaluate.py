"""What evaluate, compare and study cannot read or compare."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import call


def test_an_unknown_protocol(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    line = mistake("evaluate", room / "run", room / "store", "--protocol", "clips", "--out", tmp_path / "out")
    assert line.startswith("--protocol 'clips' is not one of: clips_v1, frames_v1, ")
    assert not (tmp_path / "out").exists()


def test_a_truncated_video_to_evaluate(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    source = sorted((room / "store" / "video").iterdir())[0]
    video = tmp_path / source.name
    video.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    line = mistake("evaluate", video, room / "store", "--out", tmp_path / "out", "--quiet")
    assert line.startswith(f"{video}: truncated")
    assert not list((tmp_path / "out").iterdir()), "nothing was scored, so there is nothing to go on from"


def test_a_missing_folder_is_said_before_any_progress(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call("evaluate", tmp_path / "no", tmp_path / "nor", "--out", tmp_path / "out") == 2
    assert capfd.readouterr().err == f"error: {tmp_path / 'no'}: no such store, folder or clip\n"


def test_a_results_file_that_is_none(tmp_path: Path, mistake: Callable[..., str]) -> None:
    for text, words in (
        ("", "is no results.json"),
        ("{}", "is no results.json of temporal-gan evaluate"),
        (json.dumps({"schema": 99, "protocol": {}, "metrics": [], "clips": []}), "schema 99, expected "),
    ):
        (tmp_path / "results.json").write_text(text)
        line = mistake("compare", tmp_path, tmp_path, "--out", tmp_path / "out", "--quiet")
        assert line.startswith(f"{tmp_path / 'results.json'}: {words}")
    assert not (tmp_path / "out").exists()


def test_a_study_page_where_a_folder_is(room: Path, tmp_path: Path, mistake: Callable[..., str]) -> None:
    (tmp_path / "page.html").mkdir()
    videos = room / "store" / "video"
    line = mistake(
        "study", "make", "--method", f"a={videos}", "--method", f"b={videos}", "--out", tmp_path / "page.html",
        "--quiet",
    )  # fmt: skip
    assert line == f"--out {tmp_path / 'page.html'}: is a folder, expected a file to write"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
