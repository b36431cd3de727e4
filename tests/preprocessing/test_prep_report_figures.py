"""What a report counts, against numbers worked out by hand, and what its leak check finds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_store import EVIL, FRAMES, figure_clip, run_store

from preprocessing.leaks import clip_look, find_leaks, find_look_alikes
from preprocessing.outcome import Outcome
from preprocessing.sources_file import read_sources
from preprocessing.store_figures import ANGLES, UNLABELLED, Coverage, box_extents, clip_figures
from preprocessing.store_summary import NO_LICENCE, StoreSummary, histogram, reasons, summarise, warnings
from temporal_gan.data.manifest import ClipLabels, ClipRow
from temporal_gan.errors import StoreError
from temporal_gan.skeletons import Skeleton

STICK = Skeleton("stick", ("top", "bottom"), ((0, 1),), (), (0, 0))
EXPRESSIONS = ("neutral", "happy", "jawOpen")


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> StoreSummary:
    return summarise(run_store(tmp_path_factory.mktemp("store") / "run"))


def stick_labels() -> ClipLabels:
    """Four frames: upright, upright, lying, only its top; the first two one drawing."""
    keypoints = np.float32(
        [
            [[0.51, 0.11], [0.51, 0.73]],
            [[0.51, 0.11], [0.51, 0.73]],
            [[0.11, 0.51], [0.34, 0.51]],
            [[0.91, 0.91]] * 2,
        ]
    )
    confidence = np.float32([[1, 0.5], [1, 0.5], [1, 1], [0.25, 0]])
    expression = np.float32([[0.2, 0.8, 0.05], [0.9, 0.1, 1.0], [0.0, 0.0, 0.5], [0.3, 0.9, 0.0]])
    known = np.float32([[1, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0]])
    return ClipLabels(
        keypoints, confidence, np.zeros((4, 2), np.int64), expression, known, np.arange(4) / 8,
        np.array([5, 5, 6, 7]), ("detected", "detected", "interpolated", "manual"),
    )  # fmt: skip


def test_figures_of_a_clip_are_as_counted_by_hand() -> None:
    labels = stick_labels()
    row = ClipRow("a", "x", "train", fps=8, frames=4, width=20, height=10)
    figures = clip_figures(row, labels, None)
    assert figures.seconds == pytest.approx(0.5)
    assert figures.pose == 1.0
    assert figures.joints == pytest.approx(7 / 8)
    assert figures.confidence == pytest.approx((3 * 1 + 2 * 0.5 + 1 + 0.25) / 7)
    assert figures.expression == 1.0
    assert figures.drawings_per_second == pytest.approx(3 / 0.5)
    assert figures.scale == pytest.approx((0.62 + 0.62 + 0.23) / 3)
    assert figures.origins == {"detected": 2, "interpolated": 1, "manual": 1}
    assert figures.facts == {}
    told = Outcome("a.mp4", "a", "kept", facts={"crop_scale": 2.0, "mean_of_none": float("nan")})
    assert clip_figures(row, labels, told).facts == {"crop_scale": 2.0}
    np.testing.assert_allclose(box_extents(labels), [0.62, 0.62, 0.23, np.nan], atol=1e-6)
    one = replace(labels, **{k: v[:1] for k, v in vars(labels).items()})
    assert clip_figures(replace(row, frames=1), one, None).drawings_per_second is None


def test_sums_over_frames_are_as_counted_by_hand() -> None:
    coverage = Coverage.of(STICK, EXPRESSIONS)
    coverage.add(stick_labels(), 20, 10)
    assert coverage.frames == 4
    assert coverage.joint_frames.tolist() == [4, 3]
    assert coverage.joint_confidence == pytest.approx([3.25, 2.0])
    assert set(coverage.maps) == {"all"}
    assert coverage.maps["all"].sum() == 7
    assert coverage.maps["all"][4, 20] == 2, "the top, twice, in the middle and at a tenth of the height"
    assert coverage.maps["all"][20, 4] == 1
    assert coverage.maps["all"][36, 36] == 1
    assert coverage.limbs == [(0, 1)]
    assert coverage.angles[0, ANGLES // 4] == 2, "down, on the screen"
    assert coverage.angles[0, 0] == 1, "to the right"
    assert coverage.angles.sum() == 3
    assert coverage.scale[[4, 12]].tolist() == [1, 2]
    assert coverage.scale.sum() == 3
    assert dict(coverage.classes) == {"neutral": 2, "happy": 1, UNLABELLED: 1}
    assert coverage.intensity[2].tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert coverage.intensity.sum(axis=1).tolist() == [3, 2, 2]


def test_angles_are_those_of_the_picture_not_of_fractions() -> None:
    labels = stick_labels()
    labels.keypoints[:, 1] = labels.keypoints[:, 0] + [0.1, 0.1]
    coverage = Coverage.of(STICK, EXPRESSIONS)
    coverage.add(labels, 300, 100)
    assert (
        np.flatnonzero(coverage.angles[0]).tolist() == [round(np.arctan2(1, 3) / (2 * np.pi) * ANGLES)] == [1]
    )


def test_the_summary_of_a_run(summary: StoreSummary) -> None:
    assert [clip.pose for clip in summary.clips] == [1.0, 0.5, 0.0, 1.0]
    assert summary.share_of_frames(lambda c: c.pose) == pytest.approx(0.625)
    assert summary.clips[2].confidence is None
    assert summary.clips[2].scale is None
    assert summary.clips[0].drawings_per_second == pytest.approx(12)
    assert summary.splits == ["train", "val", "test"]
    licences = summary.by_licence()
    assert (licences["CC-BY-4.0"].clips, licences[NO_LICENCE].frames) == (2, FRAMES)
    assert dict(licences["CC-BY-4.0"].splits) == {"train": 1, "test": 1}
    assert summary.verdicts() == {"": 20, "not detected": 11, "two necks": 1}
    assert summary.methods() == {"blendshapes": 16, "geometry": 8, "not at all": 8}
    assert summary.facts() == ["crop_scale", "frames_with_face", "joints_filled"]
    assert summary.enlargements() == [0.5, 1.6, 1.6]
    assert [clip.face for clip in summary.clips] == [0.75, 0.75, None, 0.75]
    assert summary.sources[1].file == EVIL
    told = warnings(summary)
    assert sum(line.startswith("LEAK") for line in told) == 3
    assert any(line.startswith("1 clip without a licence") for line in told)
    assert any(line == "1 input failed; see the reasons below" for line in told)


def test_reasons_are_counted_without_what_differs() -> None:
    ends = [
        Outcome("a.mp4", f"a_{n}", "left out", f"near-duplicate of b_{n} (distance {n})") for n in range(3)
    ]
    ends.append(Outcome("c.mp4", "", "failed", "/in/c.mp4: cannot be decoded: end of file"))
    assert reasons(ends, ["b_0", "b_1", "b_2"]) == [("near-duplicate of …", 3), ("cannot be decoded", 1)]


def test_histogram_counts_the_ends_and_leaves_out_the_unknown() -> None:
    assert histogram([0, 0.99, 1.0, 2.0, 4.0, 9.0, None], 0, 4, 4) == [2, 1, 1, 2]


def test_what_two_splits_share() -> None:
    rows = [
        ClipRow("a", "aoi", "train", source="one.mp4", sha256="11"),
        ClipRow("b", "aoi", "val", source="two.mp4", sha256="11"),
        ClipRow("c", "aoi", "test_character", source="three.mp4"),
        ClipRow("d", "ren", "test_combination", source="one.mp4", video_sha256="77"),
        ClipRow("e", "ren", "test_character", source="four.mp4", video_sha256="77"),
        ClipRow("f", "ren", "test_character", source="four.mp4", video_sha256="77"),
    ]
    found = [(leak.kind, leak.name, leak.clips) for leak in find_leaks(rows)]
    assert found == [
        ("file", "11", ("a", "b")),
        ("character", "aoi", ("a", "c")),
        ("character", "aoi", ("b", "c")),
        ("source", "one.mp4", ("a", "d")),
        ("video", "77", ("d", "e")),
    ]
    assert find_leaks(rows[:1]) == []


def test_a_copy_looks_alike_and_another_clip_does_not(summary: StoreSummary) -> None:
    found = summary.look_alikes
    assert [leak.clips for leak in found.leaks] == [("copy_001", "good_001")]
    assert (found.held_out, found.train, found.of) == (3, 1, 4)
    assert find_look_alikes(summary.store, most=2).held_out == 1


def test_looks_do_not_depend_on_size_and_brightness() -> None:
    small, large = (clip_look(figure_clip(size, 3)[1]) for size in (64, 160))
    assert (small * large).sum(axis=1).min() > 0.985
    assert np.abs(clip_look(np.full((1, 8, 8, 3), 77, np.uint8))).max() == 0


def test_sources_file_names_its_faulty_line(tmp_path: Path) -> None:
    assert read_sources(tmp_path) == []
    file = tmp_path / "sources.csv"
    file.write_text("file,licence\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"sources\.csv:1: header is file,licence, expected file,url"):
        read_sources(tmp_path)
    file.write_text("file,url,page,author,licence,licence_evidence,character,sha256\na,b\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"sources\.csv:2: 2 values, expected 8"):
        read_sources(tmp_path)
