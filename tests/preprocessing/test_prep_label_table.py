"""Our own CSV table: short enough to be typed, complete enough to lose nothing, and every mistake in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_clips import TAILED, random_track, same_labels, with_extras

from preprocessing.exporters.label_table import write_label_table
from preprocessing.importers.label_table import read_label_table
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.skeletons import CANONICAL25


def test_a_table_typed_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "# my dance\nframe,name,x,y,kind,value\n4,left wrist,0.25,0.5\n4,Head,1,0\n\n2,happy,,,expression,0.75\n"
    )
    track = read_label_table(tmp_path / "a.csv")[""]
    assert track.frame.tolist() == [2, 4]
    assert track.skeleton == CANONICAL25
    wrist = CANONICAL25.joints.index("left_wrist")
    assert track.keypoints[1, wrist].tolist() == [0.25, 0.5]
    assert np.argwhere(track.confidence).tolist() == [[1, 0], [1, wrist]]
    assert track.expression is not None
    assert track.expression_confidence is not None
    happy = EXPRESSIONS.index("happy")
    assert track.expression[0, happy] == 0.75
    assert np.argwhere(track.expression_confidence).tolist() == [[0, happy]]
    assert track.origins() == ("imported", "imported")
    assert track.time is track.hold is track.layer is track.hands is track.face_points is None


@settings(max_examples=12, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32), frames=st.integers(1, 4), tailed=st.booleans(), extras=st.booleans())
def test_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int, tailed: bool, extras: bool
) -> None:
    track = random_track(frames, TAILED if tailed else CANONICAL25, seed)
    # Labels need not begin with the first frame, nor name every one.
    track = replace(track, frame=track.frame * 3 + seed % 100)
    track = with_extras(track, seed) if extras else replace(track, time=None, hold=None, expression=None)
    track = replace(track, expression_confidence=None) if track.expression is None else track
    file = tmp_path_factory.mktemp("table") / "a.csv"
    write_label_table(file, track)
    assert same_labels(read_label_table(file)[""], track)


def test_a_folder_of_tables(tmp_path: Path) -> None:
    for name in ("b.csv", "deep/a 猫.v2.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_label_table(tmp_path / name, random_track(2))
    assert set(read_label_table(tmp_path)) == {"b", "deep/a 猫.v2"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no .csv files"):
        read_label_table(tmp_path / "empty")


HEAD = "frame,kind,name,other,x,y,value,confidence,layer,time,hold,origin\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "0,,nose,,0.5,nan\n", r"a\.csv:2: y 'nan' is not a number from"),
        (HEAD + "0,,nose,,0.5,\n", r"a\.csv:2: a row of kind joint needs 'y'"),
        (HEAD + "0,,nose,,120,0.5\n", r"a\.csv:2: x '120' is not a number from -0\.5 to 1\.5"),
        (HEAD + "0,,nose,,1.25,0.5\n", r"a\.csv:2: \(1\.25, 0\.5\) is outside the picture, fractions"),
        (HEAD + "0,,nose,,0.5,0.5,,2\n", r"a\.csv:2: confidence '2'"),
        (HEAD + "0,,nose,,0.5,0.5,,1,1.5\n", r"a\.csv:2: layer '1\.5' is not a whole number"),
        (HEAD + "0,,nosse,,0.5,0.5\n", r"a\.csv:2: joint 'nosse' is not in skeleton canonical25; did you mean 'nose'"),
        (HEAD + "-1,,nose,,0.5,0.5\n", r"a\.csv:2: frame '-1' is not a whole number"),
        (HEAD + "1e3,,nose,,0.5,0.5\n", r"a\.csv:2: frame '1e3'"),
        (HEAD + "9999999999,,nose,,0.5,0.5\n", r"a\.csv:2: frame '9999999999'"),
        (HEAD + ",,nose,,0.5,0.5\n", r"a\.csv:2: a row of kind joint needs 'frame'"),
        (HEAD + "0,,nose,,0.5,0.5\n0,joint,Nose,,0,0\n", r"a\.csv:3: frame 0 has this joint already, at .*a\.csv:2"),
        (HEAD + "0,joints,nose,,0.5,0.5\n", r"a\.csv:2: kind 'joints' is not one of"),
        (HEAD + "0,expression,joy,,,,1\n", r"a\.csv:2: expression 'joy' is not in the expressions"),
        (HEAD + "0,expression,happy,,,,1.1\n", r"a\.csv:2: value '1\.1' is not a number from 0 to 1"),
        (HEAD + "0,left_hand,21,,0,0\n", r"a\.csv:2: left_hand '21' is not in 0 to 20"),
        (HEAD + "0,face,1000,,0,0\n", r"a\.csv:2: face '1000' is not in 0 to 999"),
        (HEAD + "0,frame,,,,,,,,,,magic\n", r"a\.csv:2: origin 'magic' is not one of: detected"),
        (HEAD + "0,frame,,,,,,,,1\n1,frame,,,,,,,,1\n", r"a\.csv:3: time 1 does not grow"),
        (HEAD + "0,frame,,,,,,,,1\n1,frame\n", r"a\.csv: frame 1 has no time, but others have"),
        (HEAD + "0,,nose,,0.5,0.5,,,,,,,7\n", r"a\.csv:2: 13 cells, but the header has 12"),
        (HEAD + ",skeleton,a\n0,,nose,,0,0\n", r"a\.csv:2: no rows of kind skeleton_joint for 'a'"),
        (HEAD + ",edge,a,b\n", r"a\.csv:2: a row of kind edge, but none of kind skeleton"),
        (HEAD + ",skeleton,a\n,skeleton_joint,a\n,edge,a,b\n", r"a\.csv:4: 'b' has no row of kind skeleton_joint"),
        (HEAD + ",skeleton,a\n,skeleton_joint,a\n,skeleton_joint,a\n", r"a\.csv:4: joint 'a' has a row already"),
        (HEAD + ",skeleton,a\n,skeleton,b\n,skeleton_joint,a\n", r"a\.csv:3: a second skeleton"),
        (HEAD, r"a\.csv: no rows of labels"),
        ("", r"a\.csv: no rows of labels"),
        ("frame;name;x;y\n", r"a\.csv:1: column 'frame;name;x;y' of the header is not one of"),
        ("frame,name,X\n", r"a\.csv:1: column 'X' of the header is not one of"),
        ("frame,name,x,x\n", r"a\.csv:1: column 'x' of the header is twice"),
        ("name,x,y\n", r"a\.csv:1: the header has no column 'frame'"),
    ],
)  # fmt: skip
def test_mistakes_are_named_by_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        read_label_table(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"frame,name,x,y\n0,nose,\xff,0\n")
    with pytest.raises(UserError, match=r"a\.csv: is no CSV in UTF-8"):
        read_label_table(tmp_path / "a.csv")
    with pytest.raises(UserError, match=r"b\.csv: no such file"):
        read_label_table(tmp_path / "b.csv")
