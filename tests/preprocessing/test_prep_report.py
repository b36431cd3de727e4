"""The report's files: nothing from outside becomes markup, they stay small, and the page makes a decisions file."""

import csv
import html.parser
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from headless import Page, needs_chromium
from report_store import EVIL, FRAMES, LICENCE, run_store

from preprocessing import cli, report_page
from preprocessing.card import dataset_card, plain
from preprocessing.decisions import read_decisions
from preprocessing.label_sheet import (
    FACE,
    HAND,
    LEFT,
    RIGHT,
    TILE,
    FrameLabels,
    draw_labels,
    expression_words,
    frame_labels,
    label_tiles,
)
from preprocessing.report import write_report
from preprocessing.report_page import chosen_clips, decision_line, duration, percent
from preprocessing.report_page import report_page as page_of
from preprocessing.store_summary import StoreSummary, summarise
from temporal_gan.data.drawing_store import write_drawing_store
from temporal_gan.data.store import Store
from temporal_gan.drawings import Drawings
from temporal_gan.errors import StoreError
from temporal_gan.skeletons import CANONICAL25, Skeleton


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return run_store(tmp_path_factory.mktemp("store") / "run")


@pytest.fixture(scope="module")
def summary(store: Store) -> StoreSummary:
    return summarise(store)


@pytest.fixture(scope="module")
def page(summary: StoreSummary) -> str:
    return page_of(summary)


class Reader(html.parser.HTMLParser):
    """Elements and text of a page as a browser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_from_outside_stays_text_on_the_page(page: str) -> None:
    read = Reader(page)
    tags = [tag for tag, _ in read.tags]
    assert tags.count("script") == 2
    assert {"i", "b"} <= set(tags), "the page's own"
    assert not [a for tag, a in read.tags if tag == "i" and not {"style", "class"} & set(a)], (
        "not the store's <i>"
    )
    assert not [a for tag, a in read.tags if tag == "img" and a["src"] == "x"]
    for text in (EVIL, LICENCE, "<i>aoi</i>", "<b>bomb</b>.gif", "<img src=x>", "日本 half.webm"):
        assert text in read.text
    links = [attributes["href"] or "" for tag, attributes in read.tags if tag == "a"]
    assert "https://example.org/a" in links
    assert not [link for link in links if not link.startswith(("#", "https://", "clips.csv"))]
    assert not re.search(r'(src|href)="(?!data:|#|https://example\.org/a"|clips\.csv")', page), (
        "self-contained"
    )


def test_text_from_outside_stays_text_on_the_card(summary: StoreSummary) -> None:
    card = dataset_card(summary)
    body = card.split("---\n", 2)[2]
    assert "<" not in body, "no HTML at all"
    table = next(line for line in card.splitlines() if "walk" in line)
    assert len(re.findall(r"(?<!\\)\|", table)) == 8, "7 cells: a | of a name ends none"
    assert r"\[free\](javascript\:alert(1))" in card
    assert not re.search(r"(?<!\\)\[", body)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b*c`d", r"a\_b\*c\`d"),
        ("two\nlines\x00\u202e", "two lines"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("# head", r"\# head"),
        ("a&b<c", "a&amp;b&lt;c"),
        ("www.x.org", r"www\.x.org"),
        ("clip.mp4", "clip.mp4"),
    ],
)
def test_plain_text_for_markdown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_the_cards_header_and_open_questions(summary: StoreSummary) -> None:
    card = dataset_card(summary)
    header = yaml.safe_load(card.split("---\n")[1])
    assert header["license"] == "other"
    assert header["license_name"] == "mixed"
    assert header["size_categories"] == ["n<1K"]
    assert header["pretty_name"] == "Clips of <i>aoi</i>, mika"
    assert "LEAK\\: source good.mp4\\: good\\_001 in train, copy\\_001 in test" in card
    assert "2 left out: near-duplicate of … (2)" in card
    assert "2 of 3 clips enlarged" in card
    assert "gates: kept 62 %, not detected 34 %, two necks 3 %" in card
    assert "agree to training" in card


def test_the_page_says_what_it_knows(page: str) -> None:
    text = " ".join(Reader(page).text.split())
    assert "4 clips kept, 2 left out, 1 failed." in text
    assert "two necks 1" in text
    assert "2 clips of 3 (67 %) enlarged" in text
    assert "frames with a face75 %of 24 looked at" in text
    assert "joints filled" in text
    assert "copy_001 (test) and good_001 (train), correlation 1.000" in text
    ids = [a["data-name"] for tag, a in Reader(page).tags if "data-kind" in a and a["data-kind"] == "clip"]
    assert {"good_001", "none_001", "again_001"} <= set(ids)
    rows = re.findall(r'<th scope="row">(\w+_001)<small>', page)
    assert rows[:4] == ["none_001", "half_001", "copy_001", "good_001"], "worst first"


def test_the_same_store_elsewhere_has_the_same_report(store: Store, tmp_path: Path) -> None:
    first, second = (Path(shutil.copytree(store.path, tmp_path / name)) for name in ("a", "b"))
    for copy in (first, second):
        (copy / "decisions.csv").write_text("clip,decision\nnone_001,reject\nlost,keep\n", encoding="utf-8")
        assert write_report(copy) == copy / "report" / "index.html"
    files = sorted(file.name for file in (first / "report").iterdir())
    assert files == ["card.md", "clips.csv", "index.html"]
    for name in files:
        assert (first / "report" / name).read_bytes() == (second / "report" / name).read_bytes()
    assert b"decisions.csv:3: no clip &#39;lost&#39;" in (first / "report/index.html").read_bytes()
    with (first / "report/clips.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["clip"] for row in rows] == ["good_001", "half_001", "none_001", "copy_001"]
    assert rows[2]["source"] == EVIL
    assert (rows[1]["pose"], rows[1]["fact_crop_scale"], rows[2]["confidence"]) == ("0.5000", "0.6250", "")
    assert rows[1]["no_pose_because"] == "not detected 3, two necks 1"


def test_many_clips_do_not_make_a_large_page(
    store: Store, summary: StoreSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in (("TABLE_CLIPS", 2), ("TABLE_ROWS", 1), ("SHEETS_WORST", 1), ("SHEETS_DRAWN", 0)):
        monkeypatch.setattr(report_page, name, most)
    chosen = chosen_clips(summary)
    assert [(title, [c.row.id for c in clips]) for title, clips in chosen] == [
        ("Fewest joints known", ["none_001"]),
        ("Fewest frames with an expression", ["half_001"]),
        ("Enlarged most, so not sharp", ["copy_001"]),
    ]
    small = page_of(summary)
    assert len(re.findall(r'<th scope="row">\w+_00\d<small>', small)) == 2, (
        "clips; the failed source has no <small>"
    )
    assert "and 2 more, in outcomes.jsonl" in small
    assert small.count("more, with fewer frames") == 3
    assert "and 1 more, in sources.csv" in small


def test_a_store_of_drawings_with_a_skeleton_of_its_own(tmp_path: Path) -> None:
    beast = Skeleton("beast", ("snout", "tail"), ((0, 1),), (), (0, 1))
    drawings = Drawings(
        files=(tmp_path / "a.png", tmp_path / "b.png"),
        pixels=(np.full((20, 30, 4), 255, np.uint8), np.full((24, 10, 4), 255, np.uint8)),
        keypoints=np.float32([[[0.2, 0.5], [0.9, 0.5]]] * 2),
        confidence=np.ones((2, 2), np.float32),
        skeleton=beast,
    )
    for file in drawings.files:
        file.write_bytes(file.name.encode())
    write_drawing_store(drawings, tmp_path / "store", ["b.png"])
    page = write_report(tmp_path / "store").read_text(encoding="utf-8")
    assert "not made by the run command" in page
    assert "No frame has an expression" in page
    assert "snout → tail" in page
    assert "Left out and failed" not in page


def test_no_store_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="is no clip store"):
        write_report(tmp_path)
    monkeypatch.setattr("sys.argv", ["temporal-gan-preprocess", "report", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == f"error: {tmp_path}: is no clip store (no store.json in it)\n"


def test_the_command_writes_the_report(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["temporal-gan-preprocess", "report", str(store.path)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert str(store.path / "report/index.html") in capsys.readouterr().out


def colour_count(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=-1) <= 12).sum())


def test_labels_lie_where_they_belong_and_look_as_the_legend_says(store: Store) -> None:
    blank = np.full((64, 64, 3), 255, np.uint8)
    keypoints, confidence = np.zeros((25, 2), np.float32), np.zeros(25, np.float32)
    left, right = [CANONICAL25.joints.index(f"{side}_elbow") for side in ("left", "right")]
    for joint, x in ((left, 0.75), (left + 1, 0.75), (right, 0.25), (right + 1, 0.25)):
        keypoints[joint], confidence[joint] = (x, 0.2 if joint in (left, right) else 0.8), 1.0
    seen = FrameLabels(keypoints, confidence, ("detected",) * 25, None, None, ("words",))
    picture = draw_labels(blank, seen, CANONICAL25)
    assert picture.shape[1] == TILE
    middle = picture[:TILE]
    assert colour_count(middle[:, TILE // 2 :], LEFT) > 100
    assert colour_count(middle[:, : TILE // 2], LEFT) == 0
    assert colour_count(middle[:, : TILE // 2], RIGHT) > 100
    assert middle[round(0.5 * TILE), round(0.75 * TILE - 0.5)].tolist() == pytest.approx(LEFT, abs=12)
    assert (picture[TILE:] < 200).any(), "words"
    filled = FrameLabels(keypoints, confidence, ("interpolated",) * 25, None, None, ())
    dashed = colour_count(draw_labels(blank, filled, CANONICAL25), LEFT)
    assert 0.3 < dashed / colour_count(picture, LEFT) < 0.8
    nothing = draw_labels(
        blank, FrameLabels(keypoints, confidence * 0, ("detected",) * 25, None, None, ()), CANONICAL25
    )
    assert (nothing == 255).all()


def test_hands_face_and_joint_origins_come_from_the_exact_arrays(store: Store) -> None:
    labels, truth = store.labels("half_001"), store.truth("half_001")
    assert truth is not None
    known = frame_labels(labels, truth, FRAMES - 1, store.info.expressions)
    assert known.origins == ("interpolated",) * 25
    assert known.words[1:] == ("happy 0.80", "jawOpen 0.40")
    picture = draw_labels(np.full((64, 64, 3), 255, np.uint8), known, CANONICAL25)
    assert colour_count(picture, FACE) > 20
    assert colour_count(picture, HAND) > 8
    empty = frame_labels(labels, truth, 0, store.info.expressions)
    assert empty.words[1:] == ("no pose", "expression not labelled")
    bare = draw_labels(np.full((64, 64, 3), 255, np.uint8), empty, CANONICAL25)
    assert colour_count(bare, FACE) == colour_count(bare, HAND) == 0
    assert len(label_tiles(store, "good_001", count=3)) == 3


def test_words_of_an_expression() -> None:
    names = ("neutral", "sad", "jawOpen", "browDown")
    value = np.float32([0.3, 0.7, 0.2, 0.5])
    assert expression_words(value, np.ones(4), names) == ("sad 0.70", "browDown 0.50")
    assert expression_words(value, np.float32([1, 0, 1, 0]), names) == ("neutral 0.30",)
    assert expression_words(value, np.zeros(4), names) == ("expression not labelled",)


def test_numbers_for_people() -> None:
    assert [percent(v) for v in (0.0, 0.001, 0.5, 0.999, 1.0, None)] == [
        "0 %",
        "<1 %",
        "50 %",
        ">99 %",
        "100 %",
        "–",
    ]
    assert [duration(v) for v in (0.33, 12.4, 59.6, 3725)] == ["0.3 s", "12 s", "1:00 min", "62:05 min"]


def test_a_copied_line_is_read_back(tmp_path: Path) -> None:
    name = 'a "b", c.mp4'
    (tmp_path / "d.csv").write_text(
        "clip,source,decision,why,who,when\n"
        + "".join(f"{decision_line(*each)}\n" for each in (("source", name), ("clip", "x_1", "keep"))),
        encoding="utf-8",
    )
    decisions = read_decisions(tmp_path / "d.csv")
    assert (decisions.decide("y", name), decisions.decide("x_1", name)) == ("reject", "keep")


@needs_chromium
@pytest.mark.slow
def test_ticking_on_the_page_makes_a_decisions_file(store: Store, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(store.path, tmp_path / "store"))
    (copy / "decisions.csv").write_text("clip,decision,why\nhalf_001,reject,blurred\n", encoding="utf-8")
    index = write_report(copy)
    browser = Page(tmp_path, width=390, height=844, phone=True)
    try:
        browser.open(index)
        assert browser.run("document.documentElement.scrollWidth") == 390
        box = "document.querySelector('.decide[data-name=good_001]')"
        browser.run(f"{box}.querySelector('[data-verdict=keep]').click()")
        browser.run(f"{box}.querySelector('[data-verdict=reject]').click()")
        browser.run(f"{box}.querySelector('input').focus()")
        browser.type('two, "three"')
        browser.run(
            "[...document.querySelectorAll('.decide[data-kind=source]')].find(e => e.dataset.name.includes('script'))"
            ".querySelector('[data-verdict=keep]').click()"
        )
        assert browser.run("document.getElementById('count').textContent") == "3 decisions"
        pressed = "[...document.querySelectorAll('.decide[data-name=good_001] [aria-pressed=true]')]"
        assert browser.run(f"{pressed}.map(e => e.dataset.verdict).join()") == "reject,reject", (
            "in the sheet and in the table"
        )
        browser.run("document.getElementById('download').click()")
        file = browser.downloads / "decisions.csv"
        for _ in range(200):
            if file.is_file() and file.stat().st_size:
                break
            browser.run("new Promise(done => setTimeout(done, 20))")
        decisions = read_decisions(file)
        assert {name: (d.verdict, d.why) for name, d in decisions.clips.items()} == {
            "half_001": ("reject", "blurred"),
            "good_001": ("reject", 'two, "three"'),
        }
        assert decisions.decide("none_001", EVIL) == "keep"
        first = "document.querySelector('#clips ~ .panel tbody th').firstChild.textContent"
        assert browser.run(first) == "none_001"
        heading = (
            "[...document.querySelectorAll('th[data-sort]')].find(e => e.textContent === 'joints known')"
        )
        browser.run(f"{heading}.querySelector('button').click(), {heading}.querySelector('button').click()")
        assert browser.run(first) in ("good_001", "copy_001")
        assert browser.problems == []
        assert browser.requests == []
    finally:
        browser.close()
