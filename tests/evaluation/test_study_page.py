"""A whole study by keyboard in a real browser: play, choose, go back, close, resume, download, analyse."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from headless import Page, needs_chromium
from small_runs import call
from study_room import small_study

from temporal_gan.evaluation.study import Study
from temporal_gan.evaluation.study_answers import AnswerFile, judge, read_answers

pytestmark = [needs_chromium, pytest.mark.slow]

READY = "!document.getElementById('trial').hidden && !document.querySelector('[data-choice]').disabled"
COUNT = "document.getElementById('count').textContent"
ENDED = "!document.getElementById('end').hidden"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(tmp_path_factory.mktemp("browser"))
    yield page
    page.close()


def begin(browser: Page, study: Study, rater: str) -> None:
    browser.open(study.key_path.with_name("page.html"))
    browser.run("document.getElementById('rater').value = ''")
    browser.run("document.getElementById('rater').focus()")
    browser.type(rater)
    browser.press("Enter", "\r")


def stored(browser: Page, study: Study, rater: str) -> dict[str, Any]:
    key = json.dumps(f"temporal-gan-study/{study.key.page}/{rater}")
    found: dict[str, Any] = json.loads(browser.run(f"localStorage.getItem({key})"))
    return found


def answer(browser: Page, study: Study, rater: str, key: str) -> None:
    """Press a key as soon as it counts, and wait until the answer is kept and the next trial is there."""
    browser.until(READY)
    given, text = len(stored(browser, study, rater)["answers"]), browser.run(COUNT)
    browser.press(key)
    browser.until(f"{ENDED} || {COUNT} !== {json.dumps(text)}")
    assert len(stored(browser, study, rater)["answers"]) == given + 1


def attentive(study: Study, rater: str, number: int) -> str:
    """The key that passes the checks, and prefers the method called ours."""
    step = study.key.plan(rater)[number]
    shown = [study.key.items[name] for name in study.key.trials[step.trial]][:: -1 if step.swapped else 1]
    if study.key.kind == "mos":
        return "1" if shown[0].broken else {"ours": "5", "theirs": "3"}[shown[0].method]
    left = not shown[0].broken and (shown[1].broken or shown[0].method == "ours")
    return "ArrowLeft" if left else "ArrowRight"


def test_a_study_by_keyboard(browser: Page, tmp_path: Path) -> None:
    study = small_study(tmp_path, checks=1, trials=2)
    rater = "Ärger <b> 愛"
    begin(browser, study, f"  {rater} ")

    # Nothing counts before both clips have played once.
    browser.until("!document.getElementById('trial').hidden")
    browser.press("ArrowLeft")
    assert stored(browser, study, rater)["answers"] == []
    assert browser.run(COUNT) == "1 of 3"
    browser.until(READY)
    videos = browser.run(
        "[...document.querySelectorAll('video')].map(v => [v.videoWidth, v.videoHeight, v.duration])"
    )
    assert videos == [[256, 256, 0.5]] * 2

    answer(browser, study, rater, "ArrowLeft")
    browser.until(READY)
    browser.press("Backspace")
    browser.until(f"{COUNT} === '1 of 3'")
    assert stored(browser, study, rater)["answers"] == []
    browser.press("Backspace")  # only one step
    assert browser.run(COUNT) == "1 of 3"
    browser.until(READY)
    browser.press(" ", " ")  # plays again, chooses nothing
    assert browser.run("[...document.querySelectorAll('video')].every(v => v.currentTime < 0.4)")
    answer(browser, study, rater, attentive(study, rater, 0))

    begin(browser, study, rater)  # the page was closed
    browser.until(f"{COUNT} === '2 of 3'")
    for number in (1, 2):
        answer(browser, study, rater, attentive(study, rater, number))
    browser.until(ENDED)
    assert browser.run("document.activeElement.id") == "download"
    browser.press("Enter", "\r")
    browser.until("true")
    (path,) = wait_for_file(browser)
    assert path.name == f"answers-{study.key.page[:8]}-Ärger_b_愛.json"
    assert path.read_text(encoding="utf-8") == browser.run("document.getElementById('answers').value")

    file = read_answers(path, study.key)
    assert judge(file, study.key).reason == ""
    assert file.rater == rater
    assert file.finished is not None
    for given in file.answers:
        chosen = study.key.items[str(given.choice)]
        assert (chosen.method, chosen.broken) == ("ours", False)
        assert 0.4 < given.seconds < 20
        assert given.plays >= 1
    assert call("study", "analyse", path, "--key", study.key_path, "--out", tmp_path / "out", "--quiet") == 0
    found = json.loads((tmp_path / "out" / "study.json").read_text())
    assert found["pairs"][0]["share"] == 1

    assert browser.requests == []
    assert browser.problems == []
    for name, width, height in (("phone", 390, 844), ("laptop", 1280, 800)):
        browser.resize(width, height, name == "phone")
        browser.open(tmp_path / "out" / "study.html")
        assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.problems == []


def wait_for_file(browser: Page) -> list[Path]:
    files: list[Path] = []
    for _ in range(500):
        files = (
            [f for f in browser.downloads.glob("*.json") if f.stat().st_size]
            if browser.downloads.exists()
            else []
        )
        if files:
            break
        browser.run("new Promise(done => setTimeout(done, 20))")
    return files


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (1280, 800), (1024, 500)])
def test_compared_clips_are_equally_large_on_every_screen(
    browser: Page, tmp_path: Path, width: int, height: int
) -> None:
    study = small_study(tmp_path, checks=0, trials=1)
    browser.resize(width, height, phone=min(width, height) < 400)
    begin(browser, study, "Rin")
    browser.until(READY)
    boxes = browser.run(
        "[...document.querySelectorAll('video')].map(v => v.getBoundingClientRect()).map(b => [b.width, b.height])"
    )
    assert boxes[0] == pytest.approx(boxes[1], abs=0.1)
    assert min(boxes[0]) > 150
    buttons = browser.run(
        "[...document.querySelectorAll('#trial button')].map(b => b.getBoundingClientRect().bottom)"
    )
    assert len(buttons) == 5
    assert max(buttons) <= height
    browser.resize(1280, 800)


def test_ratings_by_keyboard_and_by_hand(browser: Page, tmp_path: Path) -> None:
    study = small_study(tmp_path, kind="mos", checks=1, trials=2)
    begin(browser, study, "Len")
    browser.until(READY)
    browser.press("ArrowLeft")
    browser.press("6")
    assert stored(browser, study, "Len")["answers"] == []
    answer(browser, study, "Len", attentive(study, "Len", 0))
    browser.until(READY)
    key = attentive(study, "Len", 1)
    browser.run(f"document.querySelector('[data-choice=\"{key}\"]').click()")
    browser.until(f"{COUNT} === '3 of 3'")
    browser.run("document.getElementById('stop').click()")
    browser.until(ENDED)
    text = browser.run("document.getElementById('answers').value")
    file = AnswerFile.model_validate_json(text)
    assert (len(file.answers), file.finished) == (2, None)
    assert "2 of 3 answered" in browser.run("document.getElementById('left').textContent")
    begin(browser, study, "Len")
    answer(browser, study, "Len", attentive(study, "Len", 2))
    browser.until(ENDED)
    file = AnswerFile.model_validate_json(browser.run("document.getElementById('answers').value"))
    assert judge(file, study.key).reason == ""
    expected = [int(attentive(study, "Len", number)) for number in range(3)]
    assert [given.choice for given in file.answers] == expected
