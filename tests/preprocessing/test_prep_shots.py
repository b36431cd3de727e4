"""Cuts are found where they are, a person's list wins, and long and short shots are dealt with."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from strange_media import encode, numbered, source

from preprocessing.cuts import Cut, cuts_of, read_cuts, write_cuts
from preprocessing.dedupe import DedupeConfig
from preprocessing.ingest import IngestConfig
from preprocessing.shot import Shot
from preprocessing.shots import ShotsConfig, scan
from temporal_gan.errors import UserError
from temporal_gan.puppet.clip import render_clip
from temporal_gan.puppet.spec import PuppetSpec

SHOTS = ShotsConfig()


def shots_of(file: Path, cuts: list[Cut] | None = None, shots: ShotsConfig = SHOTS) -> list[Shot]:
    return scan(source(file), IngestConfig(), shots, DedupeConfig(), cuts)


def puppet(character: str, background: str, hold: int, motion: str = "dance", frames: int = 18) -> np.ndarray:
    spec = PuppetSpec(
        character, motion, "auto:happy", 3, frames, 128, background=background, hold=hold, camera="pan"
    )
    return render_clip(spec).video[..., :3]


@pytest.fixture(scope="module")
def scenes() -> list[np.ndarray]:
    """Four shots on ones to threes, the camera panning over each."""
    return [
        puppet("mei", "park", 2),
        puppet("akira", "room", 3),
        puppet("mei", "hills", 1, "walk"),
        puppet("sora", "checks", 2, "wave"),
    ]


@pytest.mark.parametrize(
    ("name", "codec", "crf"),
    [("a.mp4", "libx264", "18"), ("b.mp4", "libx264", "30"), ("c.webm", "libvpx-vp9", "31")],
)
def test_cuts_between_puppet_shots_are_exact(
    tmp_path: Path, scenes: list[np.ndarray], name: str, codec: str, crf: str
) -> None:
    options = {"crf": crf} | ({"b": "0", "cpu-used": "8"} if codec == "libvpx-vp9" else {})
    file = encode(tmp_path / name, np.concatenate(scenes), codec, **options)
    shots = shots_of(file)
    assert [(shot.first_frame, shot.end_frame) for shot in shots] == [(0, 18), (18, 36), (36, 54), (54, 72)]
    assert [shot.start for shot in shots] == pytest.approx([0, 0.75, 1.5, 2.25], abs=1e-6)
    assert shots[0].score is None
    assert all(shot.score is not None and shot.score >= 10 for shot in shots[1:])


def test_pictures_and_videos_are_cut_alike(tmp_path: Path, scenes: list[np.ndarray]) -> None:
    video = np.concatenate(scenes)
    for index, picture in enumerate(video):
        Image.fromarray(picture).save(tmp_path / f"{index:03d}.png")
    in_folder = shots_of(tmp_path)
    in_video = shots_of(encode(tmp_path / "a.mkv", video, "ffv1"))
    assert (
        [shot.first_frame for shot in in_folder] == [shot.first_frame for shot in in_video] == [0, 18, 36, 54]
    )


def test_corrected_cuts_win(tmp_path: Path, scenes: list[np.ndarray]) -> None:
    file = encode(tmp_path / "a.mp4", np.concatenate(scenes))
    write_cuts(tmp_path / "cuts.csv", {"a.mp4": cuts_of(shots_of(file))})
    lines = (tmp_path / "cuts.csv").read_text().splitlines()
    assert lines[0] == "source,second,score,keep"
    detected = [line for line in lines if line.endswith("yes")]
    assert len(detected) == 3
    lines[lines.index(detected[1])] = detected[1].replace("yes", "no")
    (tmp_path / "cuts.csv").write_text("\n".join([*lines, "a.mp4,2.6,,yes"]))
    cuts = read_cuts(tmp_path / "cuts.csv")["a.mp4"]
    shots = shots_of(file, cuts)
    assert [shot.first_frame for shot in shots] == [0, 18, 54, 62]
    # What a person changed is in the next list too.
    write_cuts(tmp_path / "again.csv", {"a.mp4": cuts_of(shots)})
    assert [s.first_frame for s in shots_of(file, read_cuts(tmp_path / "again.csv")["a.mp4"])] == [
        0,
        18,
        54,
        62,
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a.mp4,x,1,yes", "line 3: second is 'x'"),
        ("a.mp4,-1,1,yes", "line 3: second is '-1'"),
        ("a.mp4,nan,1,yes", "line 3: second is 'nan'"),
        ("a.mp4,1,1,maybe", "line 3: keep is 'maybe', expected yes or no"),
        ("a.mp4,1,1", "line 3: expected 4 values"),
        ("a.mp4,1,1,yes,no", "line 3: expected 4 values"),
        (",1,1,yes", "line 3: expected 4 values"),
    ],
)
def test_mistakes_in_the_list_are_told_by_line(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "cuts.csv"
    file.write_text(f"source,second,score,keep\na.mp4,0.5,20,yes\n{line}\n")
    with pytest.raises(UserError, match=r"cuts\.csv, ") as caught:
        read_cuts(file)
    assert words in str(caught.value)


def test_a_list_that_is_none_and_a_cut_beyond_the_end(tmp_path: Path) -> None:
    (tmp_path / "cuts.csv").write_text("file,second\n")
    with pytest.raises(UserError, match="line 1: columns file, second; expected source, second, score, keep"):
        read_cuts(tmp_path / "cuts.csv")
    (tmp_path / "cuts.csv").write_text("source,second,score,keep\na.mp4,9,0,yes\n")
    file = encode(tmp_path / "a.mp4", numbered(24))
    with pytest.raises(UserError, match=r"cuts\.csv, line 2: second 9 is beyond the source's end, 1\.000 s"):
        shots_of(file, read_cuts(tmp_path / "cuts.csv")["a.mp4"])


def test_flashes_are_left_out_and_lone_short_sources_are_not(
    tmp_path: Path, scenes: list[np.ndarray]
) -> None:
    video = np.concatenate([scenes[0], np.full_like(scenes[0][:2], 255), scenes[1]])
    shots = shots_of(encode(tmp_path / "a.mp4", video))
    assert [bool(shot.left_out) for shot in shots] == [False, True, False]
    assert "0.08 s is shorter than min_seconds 0.25" in shots[1].left_out
    (still,) = shots_of(encode(tmp_path / "b.mp4", numbered(2)))
    assert still.left_out == ""


def test_long_shots_are_divided_evenly(tmp_path: Path) -> None:
    file = encode(tmp_path / "a.mp4", numbered(250))
    shots = shots_of(file, [], ShotsConfig(max_seconds=4))
    assert [shot.first_frame for shot in shots] == [0, 84, 167]
    assert all(shot.end - shot.start <= 4 and shot.score is None for shot in shots)
    assert not any(cut.keep for cut in cuts_of(shots))


def test_a_picture_shown_for_minutes_does_not_fill_the_memory(tmp_path: Path) -> None:
    pictures = [Image.fromarray(picture) for picture in numbered(3)]
    pictures[0].save(
        tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=[100, 300_000, 100]
    )
    shots = shots_of(tmp_path / "a.gif", [])
    assert [shot.first_frame for shot in shots] == [0, 2]
    assert max(round((shot.end - shot.start) * shot.fps) for shot in shots) <= 8 * 10 + 1


def test_another_size_begins_a_shot(tmp_path: Path) -> None:
    for name, size in (("a", 1), ("b", 2)):
        encode(
            tmp_path / f"{name}.mpg",
            np.kron(numbered(12), np.ones((1, size, size, 1), np.uint8)),
            "mpeg2video",
        )
    (tmp_path / "ab.mpg").write_bytes((tmp_path / "a.mpg").read_bytes() + (tmp_path / "b.mpg").read_bytes())
    shots = shots_of(tmp_path / "ab.mpg", [])
    assert [(shot.width, shot.height) for shot in shots] == [(96, 64), (192, 128)]


def test_scores_do_not_depend_on_the_pictures_size(tmp_path: Path, scenes: list[np.ndarray]) -> None:
    video = np.concatenate(scenes[:2])
    small = shots_of(encode(tmp_path / "a.mkv", video, "ffv1"))
    large = shots_of(encode(tmp_path / "b.mkv", np.kron(video, np.ones((1, 3, 3, 1), np.uint8)), "ffv1"))
    assert small[1].score == pytest.approx(large[1].score, abs=0.5)
