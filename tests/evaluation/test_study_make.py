"""``study make``: one page with everything in it, equal clips, no names, and its key beside it."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from small_runs import call
from study_room import clip, folders, small_study

from temporal_gan.errors import UserError
from temporal_gan.evaluation import study
from temporal_gan.evaluation.study import Study, make_study
from temporal_gan.evaluation.study_clips import broken_copy, equal_clips
from temporal_gan.evaluation.study_key import StudyKey, read_key
from temporal_gan.video_io import Frames, read_frames, write_frames


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Study]:
    room = tmp_path_factory.mktemp("study")
    return room / "page.html", small_study(
        room, checks=2, question="Who <b>moves</b> & is it </script> better?"
    )


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="study">(.*?)</script>', page.read_text(), re.DOTALL
    )
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def frames_of(uri: str, room: Path) -> Frames:
    assert uri.startswith("data:video/mp4;base64,")
    path = room / "clip.mp4"
    path.write_bytes(base64.b64decode(uri.removeprefix("data:video/mp4;base64,")))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    return read_frames(path)


def clip_of(frames: np.ndarray, fps: float) -> Frames:
    return Frames(frames, fps, np.arange(len(frames)) / fps)


def test_the_page_needs_nothing_from_outside(made: tuple[Path, Study]) -> None:
    text = made[0].read_text()
    assert not re.findall(r"https?:|//[a-z]|\bimport\b|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    assert "default-src 'none'" in text
    assert "unsafe" not in text
    assert len(text.encode()) == made[1].bytes


def test_the_page_names_no_method_and_no_clip(made: tuple[Path, Study]) -> None:
    page, key = made[0].read_text(), made[1].key
    page = re.sub(r"base64,[^\"]*", "", page)
    for name in (*key.methods, *made[1].clips):
        assert name not in page
    ids = list(data_of(made[0])["clips"])
    assert ids == sorted(ids)  # listed by their random ids, not in the order they were made
    assert all(re.fullmatch(r"[0-9a-f]{8}", name) for name in ids)
    # Which comes first in a pair tells nothing either.
    first = [key.items[trial[0]].method for trial in key.trials]
    assert set(first) == {"ours", "theirs"}


def make_key(made: tuple[Path, Study]) -> StudyKey:
    key = read_key(made[1].key_path)
    assert key == made[1].key
    return key


def test_hostile_words_are_text(made: tuple[Path, Study]) -> None:
    text = made[0].read_text()
    assert "Who &lt;b&gt;moves&lt;/b&gt; &amp; is it &lt;/script&gt; better?" in text
    assert "<b>moves" not in text
    assert text.count("</script>") == 2


def test_page_and_key_fit(made: tuple[Path, Study]) -> None:
    data, key = data_of(made[0]), make_key(made)
    assert data["page"] == key.page
    assert [trial["items"] for trial in data["trials"]] == key.trials
    assert data["clips"].keys() == key.items.keys()
    assert (data["shown"], data["checks"], len(key.trials)) == (3, 2, 5)
    for number, trial in enumerate(key.trials):
        items = [key.items[name] for name in trial]
        assert items[0].clip == items[1].clip
        broken = [item.broken for item in items]
        assert sum(broken) == key.is_check(number)
        assert key.is_check(number) == (items[0].method == items[1].method)


def test_clips_are_playable_and_equal(made: tuple[Path, Study], tmp_path: Path) -> None:
    data, key = data_of(made[0]), make_key(made)
    for name, uri in data["clips"].items():
        found = frames_of(uri, tmp_path)
        assert found.frames_u8.shape == (6, 256, 256, 3)
        assert found.fps == 12
        item = key.items[name]
        if not item.broken:
            shade = 250 if item.method == "ours" else 190
            number = int(item.clip[-1])
            expected = clip(number, shade=shade)[3].repeat(8, axis=0).repeat(8, axis=1)
            assert np.abs(found.frames_u8[3].astype(int) - expected).mean() < 2
        else:
            # Frozen, and far from what it was.
            assert np.abs(np.diff(found.frames_u8.astype(int), axis=0)).mean() < 2
            first = clip(int(item.clip[-1]))[0].repeat(8, axis=0).repeat(8, axis=1)
            assert np.abs(found.frames_u8[0].astype(int) - first).mean() > 20


def test_the_same_call_writes_the_same_page(made: tuple[Path, Study], tmp_path: Path) -> None:
    question = made[1].key.question
    again = small_study(tmp_path, checks=2, question=question)
    assert (tmp_path / "page.html").read_bytes() == made[0].read_bytes()
    assert again.key == made[1].key
    other = make_study(folders(tmp_path), tmp_path / "b.html", checks=2, question=question, seed=1)
    assert other.key.page != again.key.page


def test_mos_shows_one_clip_at_a_time(tmp_path: Path) -> None:
    key = small_study(tmp_path, kind="mos", checks=2).key
    assert [len(trial) for trial in key.trials] == [1] * 8
    assert [key.items[trial[0]].broken for trial in key.trials] == [False] * 6 + [True] * 2


def test_sizes_rates_and_lengths_are_made_equal() -> None:
    slow = clip_of(np.stack([np.full((40, 60, 3), 20 * t, np.uint8) for t in range(6)]), 12)
    fast = clip_of(np.zeros((13, 300, 200, 3), np.uint8), 24)
    (a, b), fps = equal_clips([("slow", slow), ("fast", fast)])
    assert fps == 24
    assert a.shape == b.shape == (12, 300, 200, 3)
    # 12 frames a second shown at 24: each drawing twice, in the middle of a white page, proportions kept.
    np.testing.assert_array_equal(a[:, 150, 100, 0], np.repeat(np.arange(6) * 20, 2))
    assert (a[:, 10, 100] == 255).all()
    assert (a[:, 90:210, 5] < 255).all()
    still = clip_of(np.zeros((1, 20, 20, 3), np.uint8), 24)
    (one,), fps = equal_clips([("still", still)])
    assert len(one) == fps
    (large,), _ = equal_clips([("large", clip_of(np.zeros((2, 700, 1401, 3), np.uint8), 24))])
    assert large.shape[1:3] == (256, 512)


def test_transparent_clips_stand_on_white() -> None:
    (video,), _ = equal_clips([("a", clip_of(np.zeros((2, 256, 256, 4), np.uint8), 24))])
    assert (video == 255).all()


def test_a_broken_copy_is_frozen_and_noisy() -> None:
    video = clip(0, frames=5, size=64)
    broken = broken_copy(video, np.random.default_rng(0))
    assert broken.shape == video.shape
    assert (broken == broken[0]).all()
    assert np.abs(broken[0].astype(int) - video[0]).mean() > 20


@pytest.fixture
def mistake(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., str]:
    def run(*arguments: object, out: str = "page.html") -> str:
        assert call("study", "make", *arguments, "--out", tmp_path / out, "--quiet") == 2
        error = capfd.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert not (tmp_path / out).exists()
        return error

    return run


def test_mistakes_are_one_line(mistake: Callable[..., str], tmp_path: Path) -> None:
    ours, theirs = folders(tmp_path).values()
    one, two = ("--method", f"a={ours}"), ("--method", f"b={theirs}")
    assert "1 given, a 2afc study compares two or more" in mistake(*one)
    assert "'a' is given twice" in mistake(*one, *one)
    assert "expected NAME=PATH" in mistake(*one, "--method", theirs)
    assert "no such store, folder or clip" in mistake(*one, "--method", f"b={tmp_path / 'none'}")
    assert "expected a file ending in .html" in mistake(*one, *two, out="page")
    write_frames(tmp_path / "others" / "run_0.mkv", clip(0), 12)
    write_frames(tmp_path / "others" / "run_1.mkv", clip(0), 12)
    assert "no clip has the same name" in mistake(*one, "--method", f"b={tmp_path / 'others'}")
    (theirs / "walk_1.mkv").write_bytes(b"no video")
    assert "walk_1.mkv: cannot be decoded" in mistake(*one, *two)
    write_frames(theirs / "walk_1.mkv", clip(0, frames=12), 12)
    assert "walk_1.mkv: lasts 1.00 s, but " in mistake(*one, *two)
    write_frames(theirs / "walk_1.mkv", clip(0, frames=3), 0.1)
    assert "walk_1.mkv: lasts 30.0 s, a study's clips at most 20 s" in mistake(*one, *two)


def test_a_page_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "PAGE_LIMIT", 1000)
    with pytest.raises(UserError, match=r"page\.html: the page would be larger than 0 MB after 1 of 3 clips"):
        small_study(tmp_path)
    assert not (tmp_path / "page.html").exists()


def test_a_key_that_answers_need_is_not_replaced(tmp_path: Path) -> None:
    first = small_study(tmp_path)
    assert small_study(tmp_path).key == first.key
    with pytest.raises(UserError, match="belongs to another study, whose answers need it"):
        small_study(tmp_path, seed=5)
    assert read_key(first.key_path) == first.key


def test_the_command_says_what_it_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = folders(tmp_path).values()
    (theirs / "walk_1.mkv").unlink()
    out = tmp_path / "page.html"
    assert call("study", "make", "--method", f"a={ours}", "--method", f"b={theirs}", "--out", out) == 0
    said = capsys.readouterr().out
    assert "left out: 1 clips not every method has, first 'walk_1'" in said
    assert f"{out}: 2 clips, 2 trials and 5 attention checks a rater" in said
