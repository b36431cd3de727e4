"""Expressions: what a user types becomes a track of intensities, and what cannot be read is named."""

from pathlib import Path

import numpy as np
import pytest

from temporal_gan.errors import UserError
from temporal_gan.expressions import (
    CLASS_CONTROLS,
    CLASSES,
    CONTROLS,
    EXPRESSIONS,
    expression_track,
    expression_vector,
)


def value(vector: np.ndarray, name: str) -> float:
    return float(vector[EXPRESSIONS.index(name)])


def test_every_class_moves_known_controls_within_range() -> None:
    assert set(CLASS_CONTROLS) == set(CLASSES)
    for controls in CLASS_CONTROLS.values():
        assert set(controls) <= set(CONTROLS)
        assert all(0 < gain <= 1 for gain in controls.values())


@pytest.mark.parametrize("name", CLASSES)
def test_a_full_class_is_that_class_and_its_controls(name: str) -> None:
    vector = expression_vector({name: 1.0})
    assert vector.dtype == np.float32
    assert vector[: len(CLASSES)].tolist() == [float(n == name) for n in CLASSES]
    expected = [CLASS_CONTROLS[name].get(c, 0.0) for c in CONTROLS]
    np.testing.assert_allclose(vector[len(CLASSES) :], expected, atol=1e-7)  # float32 of decimal fractions


def test_neutral_is_what_the_others_leave() -> None:
    vector = expression_vector({"happy": 0.3, "sad": 0.5})
    assert value(vector, "neutral") == pytest.approx(0.2)
    # Both close the eyes: 0.25 x 0.3 + 0.35 x 0.5.
    assert value(vector, "eyeBlinkLeft") == pytest.approx(0.25)
    assert value(expression_vector({}), "neutral") == 1


def test_a_control_overrides_what_its_class_does() -> None:
    vector = expression_vector({"happy": 1.0, "eyeBlinkLeft": 1.0, "jawOpen": 0.0})
    assert (value(vector, "eyeBlinkLeft"), value(vector, "jawOpen")) == (1, 0)
    assert value(vector, "eyeBlinkRight") == 0.25


def test_a_stores_own_names_and_order_are_used() -> None:
    assert expression_vector({"smug": 0.5}, ("smug", "neutral")).tolist() == [0.5, 1.0]
    assert expression_vector({"happy": 1.0}, ("jawOpen", "happy")).tolist() == pytest.approx([0.35, 1.0])


@pytest.mark.parametrize(
    ("intensities", "words"),
    [
        ({"hapy": 1.0}, "'hapy' is not one of: neutral, happy"),
        ({"happy": 1.2}, "happy: intensity 1.2 is outside"),
        ({"happy": -0.1}, "outside"),
        ({"happy": float("nan")}, "outside"),
        ({"happy": 0.7, "sad": 0.7}, "sum to 1.40"),
    ],
)
def test_impossible_intensities_are_refused(intensities: dict[str, float], words: str) -> None:
    with pytest.raises(UserError, match=words.replace("(", r"\(")):
        expression_vector(intensities)


def test_a_name_holds_over_the_whole_clip() -> None:
    track = expression_track("happy:0.8", 5, 24)
    assert track.shape == (5, len(EXPRESSIONS))
    assert track.dtype == np.float32
    np.testing.assert_array_equal(track, np.tile(expression_vector({"happy": 0.8}), (5, 1)))


def test_a_change_starts_and_ends_at_rest() -> None:
    track = expression_track("happy > sad", 41, 24)
    np.testing.assert_allclose(track[0], expression_vector({"happy": 1.0}), atol=1e-6)
    np.testing.assert_allclose(track[-1], expression_vector({"sad": 1.0}), atol=1e-6)
    happy = track[:, EXPRESSIONS.index("happy")]
    steps = -np.diff(happy)
    assert bool((steps > 0).all())
    # An eased change is slowest at its ends and fastest in the middle: 1.5 times the mean speed.
    assert steps[0] < 0.2 * steps.mean() > steps[-1]
    assert steps[19:21].mean() == pytest.approx(1.5 * steps.mean(), rel=0.01)
    assert happy[20] == pytest.approx(0.5, abs=1e-6)


def test_several_steps_pass_through_each() -> None:
    track = expression_track("neutral>happy:0.6>sad", 9, 24)
    np.testing.assert_allclose(track[4], expression_vector({"happy": 0.6}), atol=1e-6)
    np.testing.assert_allclose(track[8], expression_vector({"sad": 1.0}), atol=1e-6)


def test_a_single_frame_shows_the_start() -> None:
    np.testing.assert_array_equal(expression_track("happy>sad", 1, 24)[0], expression_vector({"happy": 1.0}))


@pytest.mark.parametrize("frames", [1, 4])
def test_without_names_a_track_has_no_channels(frames: int, tmp_path: Path) -> None:
    path = tmp_path / "face.csv"
    path.write_text("time\n0\n")
    assert expression_track(str(path), frames, 24, ()).shape == (frames, 0)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("joyful", "'joyful': expression 'joyful' is not one of"),
        ("happy>joyful", "'happy>joyful': expression 'joyful'"),
        ("happy:much", "'much' is not a number"),
        ("happy:2", "outside"),
        ("happy>", "expression ''"),
        ("", "expression ''"),
    ],
)
def test_a_wrong_specification_is_quoted(spec: str, words: str) -> None:
    with pytest.raises(UserError, match="--expression") as caught:
        expression_track(spec, 4, 24)
    assert words in str(caught.value)


def test_a_csv_is_interpolated_by_time_and_held_at_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "face.csv"
    # As a spreadsheet writes it: a byte-order mark, CRLF, an empty cell, an empty line.
    path.write_bytes("\ufefftime,happy,eyeBlinkLeft\r\n1,0,\r\n\r\n2,1,0.5\r\n".encode())
    track = expression_track(str(path), 13, 4)  # 0 to 3 s
    happy, blink = (track[:, EXPRESSIONS.index(n)] for n in ("happy", "eyeBlinkLeft"))
    np.testing.assert_allclose(happy, [0] * 5 + [0.25, 0.5, 0.75] + [1] * 5, atol=1e-6)
    np.testing.assert_allclose(blink[[0, 6, 12]], [0, 0.25, 0.5], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ":1: the header must name a column 'time'"),
        ("happy,sad\n1,0\n", ":1: the header must name a column 'time'"),
        ("time,happy\n", "no rows below the header"),
        ("time,happy\n0,1\n1,much\n", ":3: could not convert string to float: 'much'"),
        ("time,happy\n0,1\n,1\n", ":3: this row has no time"),
        ("time,happy\n0,1\n0,0\n", ":3: time 0.0 must be finite and grow"),
        ("time,happy\nnan,1\n", ":2: time nan"),
        ("time,hapy\n0,1\n", ":2: expression 'hapy' is not one of"),
        ("time,happy\n0,3\n", ":2: expression happy: intensity 3.0 is outside"),
    ],
)
def test_a_wrong_csv_is_named_by_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "face.csv"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        expression_track(str(path), 4, 24)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_csv_that_is_missing_or_no_text_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.csv: no such file"):
        expression_track(str(tmp_path / "gone.csv"), 4, 24)
    path = tmp_path / "face.csv"
    path.write_bytes(b"time,happy\n0,\xff\n")
    with pytest.raises(UserError, match=r"face\.csv: cannot be read as UTF-8"):
        expression_track(str(path), 4, 24)
