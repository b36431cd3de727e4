"""What is a source, what is known of it, and what is refused."""

import hashlib
import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from preprocessing.ingest import IngestConfig
from preprocessing.outcome import Outcome
from preprocessing.provenance import find_sources, without_licence, write_sources
from preprocessing.sequence import same_sequence
from preprocessing.sidecar import Provenance
from temporal_gan.errors import UserError


def picture(file: Path, colour: int = 0, size: tuple[int, int] = (20, 20)) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), colour, np.uint8)).save(file)
    return file


def blob(file: Path, content: str = "") -> Path:
    """A file that is a video by its name; nothing is decoded here."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content or file.name)
    return file


def find(*inputs: Path, table: Path | None = None, **defaults: str) -> tuple[list, list[Outcome]]:
    return find_sources(inputs, table, Provenance(**defaults), IngestConfig())


def table(file: Path, *lines: str, header: str = "file,licence,author") -> Path:
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def test_files_are_named_from_their_own_input(tmp_path: Path) -> None:
    for name in ("in/a.mp4", "in/mei/b.webm", "in/mei/deep/c.gif", "in/10.mp4", "in/9.mp4", "other/d.mkv"):
        blob(tmp_path / name)
    sources, outcomes = find(tmp_path / "in")
    assert [source.name for source in sources] == ["9.mp4", "10.mp4", "a.mp4", "mei/b.webm", "mei/deep/c.gif"]
    assert [source.character for source in sources] == ["9", "10", "a", "mei", "deep"]
    assert outcomes == []
    # Whatever else is given: decisions, cuts, labels and splits go by the name.
    more, _ = find(tmp_path / "in", tmp_path / "other/d.mkv")
    assert [s.name for s in more] == ["9.mp4", "10.mp4", "a.mp4", "d.mkv", "mei/b.webm", "mei/deep/c.gif"]
    assert {s.name: s for s in sources}.items() <= {s.name: s for s in more}.items()
    assert find(tmp_path / "other/d.mkv")[0][0].name == "d.mkv"


def test_inputs_that_would_give_one_name_twice_are_refused(tmp_path: Path) -> None:
    for name in ("one/mei/a.mp4", "two/mei/a.mp4"):
        blob(tmp_path / name, name)
    with pytest.raises(
        UserError, match=r"one/mei/a\.mp4 and .*two/mei/a\.mp4 would both be named 'mei/a\.mp4'"
    ):
        find(tmp_path / "one", tmp_path / "two")
    with pytest.raises(UserError, match=r"one/mei: lies within .*one, which is an input too"):
        find(tmp_path / "one", tmp_path / "one/mei")
    assert [s.name for s in find(tmp_path)[0]] == ["one/mei/a.mp4", "two/mei/a.mp4"]


def test_a_table_names_sources_of_several_inputs(tmp_path: Path) -> None:
    for name in ("one/a.mp4", "two/mei/b.mp4", "c.mp4"):
        blob(tmp_path / name, name)
    inputs = (tmp_path / "one", tmp_path / "two", tmp_path / "c.mp4")
    # By a source's name, and by the path from the table's own folder.
    for lines in (("a.mp4,1,", "mei/b.mp4,2,", "c.mp4,3,"), ("one/a.mp4,1,", "two/mei/b.mp4,2,", "c.mp4,3,")):
        sources, outcomes = find(*inputs, table=table(tmp_path / "t.csv", *lines))
        assert [(s.name, s.licence) for s in sources] == [("a.mp4", "1"), ("c.mp4", "3"), ("mei/b.mp4", "2")]
        assert outcomes == []


def test_the_order_and_hash_of_sources(tmp_path: Path) -> None:
    blob(tmp_path / "a.mp4", "one")
    blob(tmp_path / "B.mp4", "two")
    sources, _ = find(tmp_path)
    assert [(s.name, s.sha256) for s in sources] == [
        ("a.mp4", hashlib.sha256(b"one").hexdigest()),
        ("B.mp4", hashlib.sha256(b"two").hexdigest()),
    ]


@pytest.mark.parametrize(
    ("names", "one"),
    [
        (["0001.png", "0002.png", "0003.png"], True),
        (["Walk (9).png", "Walk (10).png", "Walk (11).png"], True),
        (["c1_1.png", "c1_3.png", "c1_5.png"], True),
        (["0001.png", "0005.png", "0010.png", "0020.png"], False),
        (["a.png", "b.png"], False),
        (["a1.png", "b2.png"], False),
        (["1.png", "2.jpg"], False),
        (["1.png"], False),
    ],
)
def test_numbered_pictures_are_one_clip(tmp_path: Path, names: list[str], one: bool) -> None:
    for colour, name in enumerate(names):
        picture(tmp_path / "in/walk" / name, colour * 20)
    (tmp_path / "in/walk/keypoints.csv").write_text("x")
    sources, outcomes = find(tmp_path / "in")
    assert [source.name for source in sources] == (["walk"] if one else [f"walk/{name}" for name in names])
    assert {source.character for source in sources} == {"walk"}
    assert [outcome.source for outcome in outcomes] == ["walk/keypoints.csv"]
    assert find(tmp_path / "in/walk")[0][0].name == ("walk" if one else names[0])


def test_numbered_pictures_of_several_sizes_are_stills(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    picture(tmp_path / "2.png", 9, (30, 20))
    assert len(find(tmp_path)[0]) == 2


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            [f"walk_{n:03d}.png" for n in range(30) if n != 17],
            "walk_017.png is missing among walk_000.png to walk_029.png",
        ),
        (["Walk (8).png", "Walk (9).png", "Walk (12).png"], "Walk (10).png and 1 more are missing"),
        (["c1.png", "c3.png", "c7.png"], "c5.png is missing among c1.png to c7.png"),
        (
            [*(f"{n:02d}.png" for n in range(12)), "cover.png"],
            "cover.png lies among the frames of a clip, 00.png to",
        ),
        ([*(f"{n:02d}.png" for n in range(12)), "50.jpg"], "50.jpg lies among the frames"),
        (
            [f"{way}{n}.png" for way in ("run", "walk") for n in range(3)],
            "several clips (run0.png, walk0.png, ...)",
        ),
    ],
)
def test_frames_of_a_clip_that_is_not_whole_are_refused(names: list[str], words: str, tmp_path: Path) -> None:
    for colour, name in enumerate(names):
        picture(tmp_path / "in/walk" / name, colour)
    blob(tmp_path / "in/walk/film.mp4")
    for folder in (tmp_path / "in", tmp_path / "in/walk"):
        sources, outcomes = find(folder)
        assert [source.file.name for source in sources] == ["film.mp4"]
        assert [(outcome.source, outcome.state) for outcome in outcomes] == [("walk", "failed")]
        assert words in outcomes[0].reason


def test_a_frame_that_cannot_be_read_fails_its_clip(tmp_path: Path) -> None:
    for number in range(4):
        picture(tmp_path / f"in/walk/{number}.png", number)
    (tmp_path / "in/walk/2.png").write_bytes(b"")
    sources, outcomes = find(tmp_path / "in")
    assert sources == []
    assert [(o.source, o.state) for o in outcomes] == [("walk", "failed")]
    assert outcomes[0].reason.startswith("its frame 2.png: the file is empty (0 bytes)")


def test_numbered_stills_stay_stills_and_in_one_split(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        picture(tmp_path / f"in/a/{number}.png", number, (20, 20 + number))
    for number in (1, 5, 10, 40):
        picture(tmp_path / f"in/b/x{number}.png", number + 100)
    names = [source.name for source in find(tmp_path / "in")[0]]
    assert names == [*(f"a/{n}.png" for n in (1, 2, 3)), *(f"b/x{n}.png" for n in (1, 5, 10, 40))]
    pairs = same_sequence(
        [*names, "a/10.PNG", "b/y6.png", "b/x7.jpg", "c/x1.png", "a/1.mp4", "a/2.mp4", "b/x.png"]
    )
    groups: dict[str, set[str]] = {name: {name} for pair in pairs for name in pair}
    for a, b in pairs:
        merged = groups[a] | groups[b]
        groups |= dict.fromkeys(merged, merged)
    assert groups["a/1.png"] == {"a/1.png", "a/2.png", "a/3.png", "a/10.PNG"}
    assert groups["b/x1.png"] == {f"b/x{n}.png" for n in (1, 5, 10, 40)}
    assert len(groups) == 8


def test_the_hash_of_a_folder_tells_a_changed_picture_and_name(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        picture(tmp_path / f"walk/{number}.png", number)
    hashes = {find(tmp_path)[0][0].sha256}
    hashes.add(find(tmp_path)[0][0].sha256)
    assert len(hashes) == 1
    picture(tmp_path / "walk/2.png", 99)
    hashes.add(find(tmp_path)[0][0].sha256)
    for number in (1, 2, 3):
        (tmp_path / f"walk/{number}.png").rename(tmp_path / f"walk/x{number}.png")
    hashes.add(find(tmp_path)[0][0].sha256)
    assert len(hashes) == 3


def test_the_nearest_word_on_a_source_wins(tmp_path: Path) -> None:
    blob(tmp_path / "mei/a.mp4")
    blob(tmp_path / "mei/b.mp4")
    (tmp_path / "mei/a.mp4.json").write_text(json.dumps({"author": "own", "url": "https://x/a"}))
    known = table(
        tmp_path / "t.csv",
        "mei/a.mp4,CC0-1.0,table,",
        "mei/b.mp4,,table,Ren",
        header="file,licence,author,character",
    )
    sources, outcomes = find(tmp_path, table=known, licence="MIT", author="default", page="https://x")
    a, b = sources
    assert (a.author, a.licence, a.url, a.page, a.character) == (
        "own",
        "CC0-1.0",
        "https://x/a",
        "https://x",
        "mei",
    )
    assert (b.author, b.licence, b.character) == ("table", "MIT", "Ren")
    assert outcomes == []


@pytest.mark.parametrize(
    ("own", "default", "licence", "evidence"),
    [
        (
            {"licence": "CC-BY-NC-4.0"},
            {"licence": "CC-BY-4.0", "licence_evidence": "page"},
            "CC-BY-NC-4.0",
            "",
        ),
        ({"licence": "MIT"}, {"licence": "MIT", "licence_evidence": "page"}, "MIT", "page"),
        ({"licence_evidence": "mail"}, {"licence": "MIT", "licence_evidence": "page"}, "MIT", "page"),
        ({"licence_evidence": "mail"}, {"licence": "MIT"}, "MIT", ""),
        ({"licence": " "}, {"licence": "MIT", "licence_evidence": "page"}, "MIT", "page"),
        ({"licence": "MIT", "licence_evidence": "mail"}, {"licence": "CC0-1.0"}, "MIT", "mail"),
        ({"licence_evidence": "mail"}, {}, "", "mail"),
        ({}, {"licence_evidence": "page"}, "", "page"),
    ],
)
def test_evidence_goes_with_its_licence(
    own: dict[str, str], default: dict[str, str], licence: str, evidence: str, tmp_path: Path
) -> None:
    blob(tmp_path / "a.mp4")
    (tmp_path / "a.mp4.json").write_text(json.dumps(own))
    (source,) = find(tmp_path, **default)[0]
    assert (source.licence, source.licence_evidence) == (licence, evidence)


def test_of_copies_the_licensed_one_is_used(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4", "x.mp4", "y.mp4"):
        blob(tmp_path / "in" / name, "same" if name < "d" else "other")
    known = table(tmp_path / "t.csv", "b.mp4,CC0-1.0,x", "c.mp4,cc0-1.0,x")
    for default in ("", "CC-BY-4.0"):
        sources, outcomes = find(tmp_path / "in", table=known, licence=default)
        assert [(s.name, s.licence) for s in sources] == [("b.mp4", "CC0-1.0"), ("x.mp4", default)]
        assert [(o.source, o.state, o.reason) for o in outcomes] == [
            ("a.mp4", "left out", "same file as b.mp4"),
            ("c.mp4", "left out", "same file as b.mp4"),
            ("y.mp4", "left out", "same file as x.mp4"),
        ]


def test_copies_under_several_licences_fail(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        blob(tmp_path / "in" / name, "same")
    known = table(tmp_path / "t.csv", "b.mp4,CC0-1.0,x", "c.mp4,All rights reserved,x")
    sources, outcomes = find(tmp_path / "in", table=known)
    assert sources == []
    assert [(o.source, o.state) for o in outcomes] == [(f"{name}.mp4", "failed") for name in "abc"]
    assert "b.mp4 is under 'CC0-1.0', c.mp4 is under 'All rights reserved'" in outcomes[0].reason


def test_json_table_and_the_table_that_is_written(tmp_path: Path) -> None:
    blob(tmp_path / "in/ミク ダンス.mp4")
    rows = [
        {
            "file": "ミク ダンス.mp4",
            "licence": "CC-BY-4.0",
            "licence_evidence": 'says "free", here',
            "character": "Miku",
        }
    ]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    sources, _ = find(tmp_path / "in", table=tmp_path / "t.json", author="Ähn, Dree")
    write_sources(tmp_path / "sources.csv", sources)
    again, outcomes = find(tmp_path / "in", table=tmp_path / "sources.csv")
    assert again == sources
    assert again[0].licence_evidence == 'says "free", here'
    assert outcomes == []


def test_accents_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    blob(tmp_path / "in" / unicodedata.normalize("NFD", "é.mp4"))
    known = table(tmp_path / "t.csv", unicodedata.normalize("NFC", "é.mp4") + ",MIT,x")
    assert find(tmp_path / "in", table=known)[0][0].licence == "MIT"


def test_a_table_may_lie_beside_the_files_below(tmp_path: Path) -> None:
    blob(tmp_path / "in/mei/a.mp4")
    known = table(tmp_path / "in/mei/t.csv", "a.mp4,MIT,x")
    sources, outcomes = find(tmp_path / "in", table=known)
    assert sources[0].licence == "MIT"
    assert outcomes == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["../a.mp4,MIT,x"], "line 2: '../a.mp4' must be a path within the inputs"),
        (["a.mp4,MIT,x", "mei/../../a.mp4,MIT,x"], "line 3: 'mei/../../a.mp4' must be"),
        (["/etc/passwd,MIT,x"], "line 2: '/etc/passwd' must be"),
        (["C:\\clips\\a.mp4,MIT,x"], "line 2: 'C:\\\\clips\\\\a.mp4' must be"),
        (["link.mp4,MIT,x"], "line 2: 'link.mp4' leads out of the inputs by a link"),
        (["away/a.mp4,MIT,x"], "line 2: 'away/a.mp4' leads out of the inputs by a link"),
        (["a.mp4,MIT"], "line 2: expected 3 values"),
        (["a.mp4,MIT,x,y"], "line 2: expected 3 values"),
        ([",MIT,x"], "line 2: names no file"),
        (["a.mp4,MIT,x", "a.mp4,MIT,y"], "line 3: a.mp4 is listed before"),
    ],
)
def test_mistakes_in_a_table_are_told_by_line(tmp_path: Path, lines: list[str], words: str) -> None:
    blob(tmp_path / "in/a.mp4")
    blob(tmp_path / "secret/a.mp4", "secret")
    (tmp_path / "in/link.mp4").symlink_to(tmp_path / "secret/a.mp4")
    (tmp_path / "in/away").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError) as caught:
        find(tmp_path / "in", table=table(tmp_path / "t.csv", *lines))
    assert words in str(caught.value)
    assert "t.csv" in str(caught.value)


def test_unknown_columns_and_tables_that_are_none(tmp_path: Path) -> None:
    blob(tmp_path / "a.mp4")
    with pytest.raises(
        UserError, match=r"t\.csv, line 1: unknown column 'license'; did you mean 'licence'\?"
    ):
        find(tmp_path, table=table(tmp_path / "t.csv", header="file,license"))
    for content in ("{", '{"file": "a.mp4"}', '["a.mp4"]', '[{"file": 3}]', '[{"name": "x"}]', "[" * 100_000):
        (tmp_path / "t.json").write_text(content)
        with pytest.raises(UserError, match=r"t\.json"):
            find(tmp_path, table=tmp_path / "t.json")
    (tmp_path / "t.csv").write_bytes(b"file\n\xff\xfe")
    with pytest.raises(UserError, match="cannot be read"):
        find(tmp_path, table=tmp_path / "t.csv")
    with pytest.raises(UserError, match="no such file or folder"):
        find(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no input"):
        find()


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    blob(tmp_path / "good.mp4")
    (tmp_path / "empty.mp4").touch()
    blob(tmp_path / "own.mp4")
    (tmp_path / "own.mp4.json").write_text('{"licens": "MIT"}')
    os.mkfifo(tmp_path / "pipe.mp4")
    known = table(tmp_path / "t.csv", "changed.mp4,0000", "gone.mp4,", header="file,sha256")
    blob(tmp_path / "changed.mp4")
    sources, outcomes = find(tmp_path, table=known)
    assert [source.name for source in sources] == ["good.mp4"]
    told = {outcome.source: (outcome.state, outcome.reason) for outcome in outcomes}
    assert {name: state for name, (state, _) in told.items()} == {
        "empty.mp4": "failed",
        "own.mp4": "failed",
        "pipe.mp4": "failed",
        "changed.mp4": "failed",
        "gone.mp4": "left out",
    }
    assert "0 bytes" in told["empty.mp4"][1]
    assert "unknown column 'licens'" in told["own.mp4"][1]
    assert "no regular file" in told["pipe.mp4"][1]
    assert "t.csv, line 2 says 0000" in told["changed.mp4"][1]
    assert "t.csv, line 3" in told["gone.mp4"][1]


def test_copies_links_strangers_and_hidden_files(tmp_path: Path) -> None:
    blob(tmp_path / "in/a.mp4", "same")
    blob(tmp_path / "in/b/copy.mp4", "same")
    blob(tmp_path / "in/notes.txt")
    for number in range(3):
        blob(tmp_path / f"in/b/{number}.json")
    blob(tmp_path / "in/.hidden.mp4")
    blob(tmp_path / "in/Thumbs.db")
    blob(tmp_path / "secret/s.mp4", "secret")
    (tmp_path / "in/out.mp4").symlink_to(tmp_path / "secret/s.mp4")
    (tmp_path / "in/outside").symlink_to(tmp_path / "secret")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/dead.mp4").symlink_to(tmp_path / "in/nothing")
    (tmp_path / "in/inner.mp4").symlink_to(tmp_path / "in/a.mp4")
    sources, outcomes = find(tmp_path / "in")
    assert [source.name for source in sources] == ["a.mp4"]
    assert {outcome.source: outcome.reason for outcome in outcomes} == {
        "b/copy.mp4": "same file as a.mp4",
        "inner.mp4": "same file as a.mp4",
        "notes.txt": ".txt is no video or picture",
        "b/*.json": "3 files; .json is no video or picture",
        "out.mp4": "a link that leads out of the input folder",
        "outside": "a link that leads out of the input folder",
        "dead.mp4": "a link that leads nowhere",
    }
    assert {outcome.state for outcome in outcomes} == {"left out"}


def test_links_among_numbered_pictures_are_not_followed(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        picture(tmp_path / f"in/{number}.png", number)
    picture(tmp_path / "secret.png", 77)
    (tmp_path / "in/4.png").symlink_to(tmp_path / "secret.png")
    sources, outcomes = find(tmp_path / "in")
    assert [source.name for source in sources] == ["in"]
    assert [outcome.source for outcome in outcomes] == ["4.png"]


def test_names_that_no_table_could_hold(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff\nname.mp4")
    blob(tmp_path / name, "x")
    (source,) = find(tmp_path)[0]
    assert source.name == "bad%FF name.mp4"
    write_sources(tmp_path / "sources.csv", [source])
    assert find(tmp_path, table=tmp_path / "sources.csv") == ([source], [])


def test_names_that_are_no_characters_stay_apart(tmp_path: Path) -> None:
    for name in (b"\x83A.mp4", b"\x84A.mp4"):
        blob(tmp_path / "in" / os.fsdecode(name), repr(name))
    sources, outcomes = find(tmp_path / "in")
    assert ([s.name for s in sources], outcomes) == (["%83A.mp4", "%84A.mp4"], [])
    # Two spellings of one name: the second is told, and the first stays.
    blob(tmp_path / "in" / "%83A.mp4", "other")
    sources, outcomes = find(tmp_path / "in")
    assert [s.name for s in sources] == ["%83A.mp4", "%84A.mp4"]
    assert [(o.source, o.state) for o in outcomes] == [("%83A.mp4", "failed")]
    assert "rename one" in outcomes[0].reason


def test_text_that_is_no_character_in_a_sidecar_costs_nothing(tmp_path: Path) -> None:
    blob(tmp_path / "a.mp4")
    (tmp_path / "a.mp4.json").write_text('{"author": "\\ud83d Ren"}')
    assert find(tmp_path)[0][0].author == "%3D Ren"


def test_without_a_licence_only_by_leave(tmp_path: Path) -> None:
    blob(tmp_path / "a.mp4")
    blob(tmp_path / "b.mp4")
    sources, _ = find(tmp_path, table=table(tmp_path / "t.csv", "b.mp4,CC0-1.0,x", "a.mp4, ,x"))
    kept, outcomes = without_licence(sources, allow=False)
    assert [source.name for source in kept] == ["b.mp4"]
    assert [(o.source, o.state) for o in outcomes] == [("a.mp4", "left out")]
    assert "--allow-unlicensed" in outcomes[0].reason
    assert without_licence(sources, allow=True) == (sources, [])
