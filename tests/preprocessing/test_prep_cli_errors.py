"""What a user can do wrong with ``temporal-gan-preprocess``: one line, the right exit code, nothing half written."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from small_inputs import QUICK, digest, run_quickly, write_inputs
from small_runs import call_preprocess
from strange_media import png_header

from preprocessing.outcome import read_outcomes
from preprocessing.work_folder import CACHE_TAG
from temporal_gan.data.store import Store

Answer = tuple[int, list[str]]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("films") / "inputs", files=2)


@pytest.fixture(scope="module")
def made(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "store"
    run_quickly(inputs, out)
    return out


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs a command with --quiet; returns the exit code and the lines of its errors."""

    def run(*arguments: object) -> Answer:
        capfd.readouterr()
        code = call_preprocess(*arguments, "--quiet")
        said = capfd.readouterr()
        assert said.out == ""
        assert "Traceback" not in said.err
        return code, said.err.splitlines()

    return run


def running(*inputs: Path, out: Path) -> list[object]:
    changes = [word for change in QUICK for word in ("--set", change)]
    return ["run", *inputs, "--out", out, "--licence", "CC0-1.0", *changes]


@pytest.mark.slow
def test_broken_inputs_fail_one_by_one(inputs: Path, tmp_path: Path, say: Callable[..., Answer]) -> None:
    folder = write_inputs(tmp_path / "in", files=1)
    good = (inputs / "film 1.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(good[: len(good) // 2])
    (folder / "zero.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no film\n" * 50)
    (folder / "wide.png").write_bytes(png_header(8000, 8000))
    (folder / "bömb 日本.png").write_bytes(png_header(60000, 60000))
    Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.mp4")).write_bytes(good[:900])
    os.mkfifo(folder / "pipe.mp4")
    (folder / "out.mp4").symlink_to("/etc/passwd")
    code, lines = say(*running(folder, out=tmp_path / "store"))
    assert code == 1
    told = {line.split(": ")[1]: line.split(": ", 2)[2] for line in lines}
    assert sorted(told) == sorted(
        ["bad%FF.mp4", "bömb 日本.png", "half.mp4", "pipe.mp4", "text.mp4", "wide.png", "zero.mp4"]
    )
    assert told["zero.mp4"] == "the file is empty (0 bytes)"
    assert told["wide.png"].endswith("the limit ingest.limits.max_pixels is 40000000")
    assert "truncated" in told["half.mp4"]
    # Each name once, and nowhere the folder: the store is the same wherever its inputs lie.
    assert all(name not in reason for name, reason in told.items())
    for file in ("outcomes.jsonl", "sources.csv", "run.json"):
        assert str(tmp_path) not in (tmp_path / "store" / file).read_text(encoding="utf-8")
    left_out = {o.source: o.reason for o in read_outcomes(tmp_path / "store") if o.state == "left out"}
    assert left_out == {"out.mp4": "a link that leads out of the input folder"}
    assert len(Store.open(tmp_path / "store").clips) == 2


def test_no_usable_input_names_it(tmp_path: Path, say: Callable[..., Answer]) -> None:
    (tmp_path / "zero.mp4").write_bytes(b"")
    code, lines = say(*running(tmp_path / "zero.mp4", out=tmp_path / "store"))
    assert (code, lines) == (
        2,
        ["error: no clip to make a store of: zero.mp4: the file is empty (0 bytes)"],
    )
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--labels", "nowhere"], "nowhere: no such folder of labels"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: no such settings file"),
        (["--config", "film 0.mp4"], "film 0.mp4: cannot be read"),
        (
            ["--provenance", "nowhere.csv"],
            "nowhere.csv: cannot be read (No such file or directory); expected",
        ),
        (["--provenance", "film 0.mp4"], "film 0.mp4: cannot be read"),
        (["--decisions", "nowhere.csv"], "nowhere.csv: no such file of decisions"),
        (["--cuts", "nowhere.csv"], "nowhere.csv: cannot be read (No such file or directory); expected"),
        (["--workers", "0"], "'--workers'"),
        (["--engine", "spark"], "'--engine'"),
        (["--pose-backend", "labels"], "--labels DIR"),
        (["--pose-backend", "eyes"], "got 'eyes'"),
        (["--set", "crop.sise=3"], "unknown key 'crop.sise'; did you mean 'size'?"),
        (["--set", "face.cascade=nowhere.xml"], "nowhere.xml"),
        (
            ["--set", "pose.backend=mediapipe-offline", "--set", "pose.offline_folder=nowhere"],
            "install-offline-mediapipe",
        ),
        (["--set", "expression.reader=nowhere", "--set", "expression.method=reader"], "reader 'nowhere'"),
    ],
)
def test_mistakes_are_told_before_any_work(
    more: Sequence[str],
    words: str,
    inputs: Path,
    tmp_path: Path,
    say: Callable[..., Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(inputs)
    code, lines = say(*running(Path(), out=tmp_path / "store"), *more)
    assert code == 2
    assert len(lines) == 1
    assert words in lines[0]
    assert not (tmp_path / "store").exists()
    assert not list((tmp_path / "store.work").glob("clips"))
    assert not list((tmp_path / "store.work").glob("scans"))


def test_what_a_run_has_made_is_no_input(inputs: Path, made: Path, say: Callable[..., Answer]) -> None:
    for folder in (made, made.with_name("store.work")):
        code, lines = say(*running(folder, out=made.with_name("other")))
        assert (code, len(lines)) == (2, 1)
        assert lines[0].startswith(f"error: {folder}: is a clip store or a work folder")


def test_a_store_within_its_inputs_does_not_feed_on_itself(
    inputs: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    folder = write_inputs(tmp_path / "in", files=1)
    for _ in range(2):
        assert say(*running(folder, out=folder / "store")) == (0, [])
        assert {row.source for row in Store.open(folder / "store").clips} == {"film 0.mp4"}


@pytest.mark.parametrize("there", [True, False])
def test_a_link_to_the_store_stays_a_link(
    there: bool, inputs: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    real, link = tmp_path / "large disk" / "store", tmp_path / "store"
    if there:
        real.mkdir(parents=True)
    link.symlink_to(real)
    for change in ((), ("--set", "crop.size=32")):
        assert say(*running(inputs, out=link), *change) == (0, [])
        assert link.is_symlink()
        assert len(Store.open(real).clips) == 4
    assert sorted(file.name for file in tmp_path.iterdir()) == ["large disk", "store"]
    assert sorted(file.name for file in real.parent.iterdir()) == ["store", "store.work"]
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert say(*running(inputs, out=loop)) == (
        2,
        [f"error: --out {loop}: is a link that leads to itself; name another folder"],
    )


def test_work_and_store_stay_apart_from_each_other_and_from_other_files(
    inputs: Path, made: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    before = digest(made)
    for work in (made, made / "pieces", made.parent):
        code, lines = say(*running(inputs, out=made), "--work", work)
        assert (code, len(lines)) == (2, 1)
        assert "must be two folders, neither within the other" in lines[0]
    assert digest(made) == before
    mine = write_inputs(tmp_path / "mine", files=1)
    code, lines = say(*running(inputs, out=tmp_path / "store"), "--work", mine)
    assert code == 2
    assert lines == [
        f"error: {mine}: holds something that this command did not make; name another --work or remove it"
    ]
    assert [file.name for file in mine.iterdir()] == ["film 0.mp4"]


@pytest.mark.parametrize("place", ["", ".", "/", "..", "not utf-8 \udcff"])
def test_places_no_store_can_have(
    place: str, inputs: Path, say: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inputs)
    before = sorted(inputs.parent.rglob("*"))
    code, lines = say(*running(inputs, out=Path(place)))
    assert (code, len(lines)) == (2, 1)
    assert lines[0].endswith(("remove it", "name one", "name another folder"))
    assert sorted(inputs.parent.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_without_permission_is_known_at_once(
    inputs: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    code, lines = say(*running(inputs, out=locked / "store"), "--work", tmp_path / "work")
    assert (code, len(lines)) == (2, 1)
    assert not (tmp_path / "work").exists()


def test_cuts_of_a_source_that_is_not_there_are_told(
    inputs: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    cuts = tmp_path / "cuts.csv"
    cuts.write_text("source,second,score,keep\nfilm 9.mp4,1.0,,yes\n")
    code, lines = say(*running(inputs, out=tmp_path / "store"), "--cuts", cuts)
    assert (code, lines) == (
        0,
        ["without effect: film 9.mp4: cuts.csv, line 2: a cut of none of the sources"],
    )
    (outcome,) = (o for o in read_outcomes(tmp_path / "store") if o.source == "film 9.mp4")
    assert outcome.reason == "cuts.csv, line 2: a cut of none of the sources"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0,joint,nose,nan,0.5,1", "film 0.csv:2: x 'nan' is not a number"),
        ("500,joint,nose,0.5,0.5,1", "has labels for frame 500, but the source has 20 frames"),
    ],
)
def test_wrong_labels_fail_their_source_alone(
    text: str, words: str, inputs: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "film 0.csv").write_text(f"frame,kind,name,x,y,confidence\n{text}\n")
    code, lines = say(*running(inputs, out=tmp_path / "store"), "--labels", tmp_path / "labels")
    assert (code, len(lines)) == (1, 1)
    assert words in lines[0]
    assert {row.source for row in Store.open(tmp_path / "store").clips} == {"film 1.mp4"}


@pytest.mark.parametrize("kind", ["scans", "clips"])
def test_ctrl_c_keeps_what_is_finished_and_says_so(
    kind: str, inputs: Path, made: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    out, work = tmp_path / "store", tmp_path / "store.work"
    sent, over = threading.Event(), threading.Event()

    def interrupt() -> None:
        while not over.is_set():
            if list(work.glob(f"{kind}/*/*")):
                sent.set()
                os.kill(os.getpid(), signal.SIGINT)
                return
            time.sleep(0.002)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    try:
        answer = say(*running(inputs, out=out))
        over.set()
        watcher.join()
    except KeyboardInterrupt:
        pytest.fail("the run was over before it was interrupted")
    assert sent.is_set()
    assert answer == (130, ["stopped; repeat the same command to go on"])
    assert not out.exists()
    kept = {piece: piece.stat().st_mtime_ns for piece in work.glob(f"{kind}/*/*")}
    assert kept
    assert say(*running(inputs, out=out)) == (0, [])
    assert {piece: piece.stat().st_mtime_ns for piece in kept} == kept
    assert {k: v for k, v in digest(out).items() if not k.startswith("report/")} == digest(made)


def test_other_commands_answer_in_one_line(
    inputs: Path, made: Path, tmp_path: Path, say: Callable[..., Answer]
) -> None:
    for arguments, words in (
        (("report", inputs), "is no clip store"),
        (("validate", inputs), "is no clip store"),
        (("export", inputs, "--format", "csv", "--out", tmp_path / "x"), "is no clip store"),
        (("export", made, "--format", "pdf", "--out", tmp_path / "x"), "'--format'"),
        (("export", made, "--format", "csv", "--out", made), "lies in the store"),
        (("export", made, "--format", "csv", "--out", made / "x"), "lies in the store"),
        (("install-offline-mediapipe", "--folder", inputs), "did not make"),
    ):
        code, lines = say(*arguments)
        assert (code, len(lines)) == (2, 1), arguments
        assert words in lines[0]
    assert not list(tmp_path.iterdir())
    assert not (made / "x").exists()


def test_without_arguments_there_is_help_and_no_empty_error(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in ((), ("import",)):
        assert call_preprocess(*arguments) == 2
        said = capfd.readouterr()
        assert "Usage:" in said.out
        assert said.err == ""


def test_the_work_folder_is_marked_as_a_cache(made: Path) -> None:
    text = (made.with_name("store.work") / CACHE_TAG).read_text()
    assert text.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
