"""Pictures given one by one with their joints: every way to say whose joint a row gives, and every mistake."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from temporal_gan.errors import UserError
from temporal_gan.labelled_pictures import read_labelled_pictures
from temporal_gan.skeletons import CANONICAL25


@pytest.fixture
def room(tmp_path: Path) -> Path:
    for number, name in enumerate(("a.png", "b.png")):
        Image.new("RGB", (20 + 20 * number, 10), (number, 0, 0)).save(tmp_path / name)
    return tmp_path


def table(room: Path, text: str, name: str = "points.csv") -> Path:
    (room / name).write_text(text)
    return room / name


def joint(name: str) -> int:
    return CANONICAL25.joints.index(name)


def test_joints_of_one_picture_in_any_spelling(room: Path) -> None:
    points = table(room, "Left-Wrist,0,0\nright elbow,19.5,4.5\nNOSE,9.5,9.5\nleft_foot,1,1\n")
    read = read_labelled_pictures([room / "a.png"], [points])
    assert read.skeleton == CANONICAL25
    assert read.confidence.sum() == 4
    found = {name: read.keypoints[0, joint(name)].tolist() for name in ("left_wrist", "right_elbow", "nose")}
    assert found == {
        "left_wrist": pytest.approx([0.5 / 20, 0.5 / 10]), "right_elbow": [1.0, 0.5], "nose": [0.5, 1.0],
    }  # fmt: skip
    assert read.confidence[0, joint("left_ankle")] == 1


def test_rows_name_their_picture_or_each_picture_has_its_table(room: Path) -> None:
    one = table(room, "nose,0,0,b.png\nneck,2,2,a.png\nnose,1,1,elsewhere.png\n")
    named = read_labelled_pictures([room / "a.png", room / "b.png"], [one])
    by_folder = read_labelled_pictures([room], [one])
    two = [table(room, "neck,2,2\n", "a.csv"), table(room, "nose,0,0\n", "b.csv")]
    apart = read_labelled_pictures([room / "a.png", room / "b.png"], two)
    for read in (named, by_folder, apart):
        assert [f.name for f in read.files] == ["a.png", "b.png"]
        assert read.confidence[:, [joint("neck"), joint("nose")]].tolist() == [[1, 0], [0, 1]]
        np.testing.assert_array_equal(read.keypoints, named.keypoints)
        assert [p.shape[:2] for p in read.pixels] == [(10, 20), (10, 40)]
    # One picture of several that a table knows.
    assert read_labelled_pictures([room / "b.png"], [one]).confidence.sum() == 1


def test_another_skeleton_lies_beside_the_table(room: Path) -> None:
    table(room, "Head,Tail\nTail,Head\n", "keypoints_skeleton.csv")
    table(room, "Head,0\nTail,2\n", "keypoints_layers.csv")
    read = read_labelled_pictures([room / "a.png"], [table(room, "Tail,3,3\n")])
    assert (read.skeleton.joints, read.skeleton.layers) == (("Head", "Tail"), (0, 2))
    assert read.confidence.tolist() == [[0, 1]]


def test_a_charactergan_folder_needs_no_table(room: Path) -> None:
    table(room, "Head,Tail\nTail,Head\n", "keypoints_skeleton.csv")
    table(room, "Head,0\nTail,2\n", "keypoints_layers.csv")
    table(room, "Head,1,1,a.png\nTail,1,1,b.png\n", "keypoints.csv")
    assert read_labelled_pictures([room]).confidence.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("pictures", "text", "words"),
    [
        (["a.png"], None, "a.png: where are its joints? give --keypoints points.csv"),
        (["c.png"], "nose,1,1\n", "c.png: no such picture or folder"),
        (["a.png"], "nsoe,1,1\n", "points.csv:1: label 'nsoe' is not in canonical25; did you mean 'nose'?"),
        (["a.png"], "nose,1,1\nnose,2,2\n", "points.csv:2: 'nose' of 'a.png' was given before"),
        (["a.png"], "nose,1\n", "points.csv:1: expected label,x,y, got 'nose,1'"),
        (["a.png"], "nose,x,1\n", "points.csv:1: x 'x' is not a number"),
        (["a.png"], "nose,30,1\n", "is outside 'a.png', 20x10"),
        (["a.png"], "", "points.csv: no row for the picture 'a.png'"),
        (["a.png"], "nose,1,1,b.png\n", "no row for the picture 'a.png'"),
        (["a.png", "b.png"], "nose,1,1\n", "points.csv:1: expected label,x,y,file"),
        (["a.png", "b.png"], "nose,1,1,a.png\n", "no row for the picture 'b.png'"),
        (["a.png", "a.png"], "nose,1,1,a.png\n", "two pictures are named 'a.png'"),
        (["empty"], "nose,1,1\n", "empty: no pictures in this folder"),
    ],
)
def test_mistakes(room: Path, pictures: list[str], text: str | None, words: str) -> None:
    (room / "empty").mkdir()
    tables = [] if text is None else [table(room, text)]
    with pytest.raises(UserError) as caught:
        read_labelled_pictures([room / name for name in pictures], tables)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_tables(room: Path) -> None:
    tables = [table(room, "nose,1,1\n", f"{i}.csv") for i in range(3)]
    with pytest.raises(UserError, match="3 files for 2 pictures"):
        read_labelled_pictures([room / "a.png", room / "b.png"], tables)


def test_a_charactergan_folder_beside_other_pictures_needs_a_table(room: Path) -> None:
    """Else the others would be passed over without a word."""
    table(room, "Head,Tail\nTail,Head\n", "keypoints_skeleton.csv")
    table(room, "Head,0\nTail,2\n", "keypoints_layers.csv")
    table(room, "Head,1,1,a.png\nTail,1,1,b.png\n", "keypoints.csv")
    with pytest.raises(UserError, match=r"where are its joints\?"):
        read_labelled_pictures([room, room / "a.png"])


def test_tables_of_different_skeletons(room: Path) -> None:
    (room / "tail").mkdir()
    table(room, "Head,Tail\nTail,Head\n", "tail/keypoints_skeleton.csv")
    table(room, "Head,0\nTail,2\n", "tail/keypoints_layers.csv")
    tables = [table(room, "nose,1,1\n", "a.csv"), table(room, "Head,1,1\n", "tail/b.csv")]
    with pytest.raises(UserError, match="--keypoints: the files are of different skeletons"):
        read_labelled_pictures([room / "a.png", room / "b.png"], tables)


def test_a_folders_pictures_are_those_that_people_see_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10.png", "2.PNG", "1.jpg", ".hidden.png", "notes.txt"):
        Image.new("RGB", (8, 8)).save(tmp_path / name, format="PNG")
    rows = "".join(f"nose,{x},0,{name}\n" for x, name in enumerate(("1.jpg", "2.PNG", "10.png")))
    read = read_labelled_pictures([tmp_path], [table(tmp_path, rows)])
    assert [f.name for f in read.files] == ["1.jpg", "2.PNG", "10.png"]
    assert read.keypoints[:, joint("nose"), 0].tolist() == pytest.approx([0.5 / 8, 1.5 / 8, 2.5 / 8])
