"""The report stands alone: no outside address, nothing unescaped, pictures that decode."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from temporal_gan.evaluation.charts import line_chart
from temporal_gan.evaluation.clip_pairs import ClipPair
from temporal_gan.evaluation.pictures import animation, shrink
from temporal_gan.evaluation.protocols import PROTOCOLS
from temporal_gan.evaluation.report import ReportSection, write_report
from temporal_gan.evaluation.run import evaluate
from temporal_gan.weights import ALEXNET


def walker(frames: int = 4) -> torch.Tensor:
    """A striped block that moves right: [T, 3, 32, 32]."""
    clip = torch.ones(frames, 3, 32, 32)
    for t in range(frames):
        clip[t, 0, 8:24, 6 + 2 * t : 18 + 2 * t] = 0.1
        clip[t, 1, 12:20, 6 + 2 * t : 18 + 2 * t] = 0.6
    return clip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    real = walker()
    pairs = [
        ClipPair(f"<b>{i}</b>", (real * (0.9 - 0.1 * i)).clamp(0, 1), real, 12.0, "aki") for i in range(3)
    ]
    path = tmp_path_factory.mktemp("report") / "deep" / "report.html"
    section = ReportSection(
        "Training & more",
        line_chart([("loss", [3.0, 2.0, 1.0])], "step", "loss"),
        [("happy", walker())],
        fps=8,
    )
    write_report(
        evaluate(pairs, PROTOCOLS["clips_v1"]), path, command="temporal-gan evaluate a b", sections=[section]
    )
    return path.read_text()


class Elements(HTMLParser):
    """Open elements and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href", "data", "poster")]
        if tag not in ("meta", "img", "br", "line", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_report_needs_nothing_from_outside(page: str) -> None:
    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    assert elements.addresses
    assert all(address.startswith("data:image/") for address in elements.addresses)
    assert not {"script", "link", "iframe"} & set(elements.tags)
    # The one address is told, not linked: where the missing weights come from.
    told = page.replace(ALEXNET.source, "")
    assert "http" not in re.sub(r"data:image/\w+;base64,[A-Za-z0-9+/=]+", "", told)
    assert "url(" not in page
    assert "@import" not in page


def test_report_escapes_names_and_shows_every_part(page: str) -> None:
    assert "<b>0</b>" not in page
    assert "&lt;b&gt;0&lt;/b&gt;" in page
    for part in (
        "Training &amp; more",
        "temporal-gan evaluate a b",
        "clips_v1",
        "frozen",
        "shuffled",
        "not measured",
    ):
        assert part in page, part
    assert page.index("&lt;b&gt;2&lt;/b&gt;") < page.index("&lt;b&gt;0&lt;/b&gt;")
    assert "nan" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page).lower().replace("nano", "")


def test_report_warns_of_a_clip_that_stands_still(tmp_path: Path) -> None:
    real = walker()
    frozen = ClipPair("frozen", real[:1].expand(4, -1, -1, -1), real, 12.0)
    write_report(evaluate([frozen], PROTOCOLS["clips_v1"]), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "The made clips move 0% as much as the real ones" in text
    assert "Fewer than three clips" in text


def test_report_warns_of_steadiness_that_is_only_blur(tmp_path: Path) -> None:
    noise = 0.2 * torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    real = (walker() - noise).clamp(0, 1)
    made = torch.nn.functional.avg_pool2d(real, 5, stride=1, padding=2, count_include_pad=False)
    write_report(evaluate([ClipPair("soft", made, real, 12.0)], PROTOCOLS["clips_v1"]), tmp_path / "r.html")
    assert "because the made clips are blurred" in (tmp_path / "r.html").read_text()


def test_report_of_single_drawings_shows_no_temporal_score_in_its_headline(tmp_path: Path) -> None:
    drawing = walker(1)
    write_report(
        evaluate([ClipPair("d", drawing, drawing, 1.0)], PROTOCOLS["frames_v1"]), tmp_path / "r.html"
    )
    text = (tmp_path / "r.html").read_text()
    cards = text[text.index('class="cards"') : text.index("All numbers")]
    assert "PSNR, character only" in cards
    assert "Motion" not in cards
    assert "Warping" not in cards


def test_report_prints_no_temporal_score_in_its_headline_without_the_motion_ratio(tmp_path: Path) -> None:
    """The real clip stands still, so the ratio to it has no value, but the warping error would have one."""
    still = walker(1).expand(4, -1, -1, -1)
    results = evaluate([ClipPair("still", still, still, 12.0)], PROTOCOLS["clips_v1"])
    assert results.metric("motion_ratio")["value"] is None
    assert results.metric("warping_error_reference_flow")["value"] == pytest.approx(0, abs=1e-9)
    write_report(results, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "Warping" not in text[text.index('class="cards"') : text.index("All numbers")]


def test_animation_plays_every_frame_at_the_clips_speed() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (5, 20, 30, 3), dtype=np.uint8)
    uri = animation(frames, fps=10)
    picture = Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    assert picture.n_frames == 5  # type: ignore[attr-defined]
    assert picture.size == (30 * 12, 20 * 12)
    picture.load()
    assert picture.info["duration"] == 100
    assert picture.info["loop"] == 0


def test_large_clips_are_shrunk_for_the_report() -> None:
    assert shrink(np.zeros((1, 300, 600, 3), np.uint8)).shape == (1, 128, 256, 3)
    assert shrink(np.zeros((1, 40, 30, 3), np.uint8)).shape == (1, 40, 30, 3)


def test_chart_has_a_line_for_each_series_and_a_gap_for_each_hole() -> None:
    svg = line_chart([("a", [1.0, float("nan"), 2.0, 3.0]), ("b<", [0.0, 0.0, 0.0, 0.0])], "step", "loss")
    paths = re.findall(r' d="([^"]*)"', svg)
    assert len(paths) == 2
    assert paths[0].count("M") == 2
    assert "b&lt;" in svg
    assert line_chart([("flat", [5.0])], "x", "y").count("<path") == 1
    with pytest.raises(ValueError, match="lengths"):
        line_chart([("a", [1.0]), ("b", [1.0, 2.0])], "x", "y")
