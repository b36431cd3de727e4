"""MediaPipe in its own process: real detections where it is installed, and every way it can fail."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from preprocessing.pose import offline_install
from preprocessing.pose.mediapipe_offline import OfflineMediapipe
from preprocessing.pose.offline_install import install_offline_mediapipe, offline_folder, offline_python
from temporal_gan.errors import UserError
from temporal_gan.puppet import PuppetSpec, render_clip
from temporal_gan.video_io import read_picture

PORTRAITS = Path(__file__).parents[3] / "shared" / "media" / "portraits"
DRAWINGS = Path(__file__).parents[3] / "shared" / "media" / "drawings" / "watercolor-man"


def is_installed() -> bool:
    try:
        offline_python(offline_folder())
    except UserError:
        return False
    return True


installed = pytest.mark.skipif(not is_installed(), reason="the offline MediaPipe is not installed")


def interpreter(folder: Path, script: str) -> Path:
    """A program in place of Python, which gets the worker's path and does something else."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@installed
@pytest.mark.slow
def test_it_finds_the_runner_and_his_places_do_not_depend_on_what_came_before() -> None:
    if not DRAWINGS.is_dir():
        pytest.skip("no shared media")
    one, other = (read_picture(DRAWINGS / f"{name}.jpg")[..., :3] for name in ("0001", "0030"))
    backend = OfflineMediapipe(offline_python(offline_folder()))
    try:
        first = backend.detect_body(one, 0.5)
        backend.detect_body(other, 0.5)
        backend.detect_face(other)
        again = backend.detect_body(one, 0.5)
    finally:
        backend.close()
    assert first is not None
    assert again is not None
    assert first.keypoints.tobytes() == again.keypoints.tobytes()
    # The labels' head and left hand, pixels of 250.
    assert np.linalg.norm(first.keypoints[0] * 250 - (74, 47)) < 20
    assert np.linalg.norm(first.keypoints[7] * 250 - (104, 82)) < 15


@installed
@pytest.mark.slow
def test_face_points_are_where_they_belong_and_nothing_is_nothing() -> None:
    if not PORTRAITS.is_dir():
        pytest.skip("no shared media")
    from temporal_gan.alpha import over_white

    backend = OfflineMediapipe(offline_python(offline_folder()))
    try:
        picture = over_white(read_picture(PORTRAITS / "crypko_03.png"))
        face = backend.detect_face(picture)
        blank = np.full((64, 48, 3), 255, np.uint8)
        assert backend.detect_body(blank, 0.5) is None
        assert backend.detect_face(blank) is None
    finally:
        backend.close()
    assert face is not None
    assert face.points is not None
    p = face.points[:, :2]
    assert p[0, 0] < p[2, 0] < p[4, 0], "contour from the viewer's left round the chin"
    assert p[2, 1] == p[:, 1].max(), "the chin is lowest"
    assert p[5:8, 0].mean() < p[8:11, 0].mean(), "the brow on the character's right comes first"
    for eye in (p[11:17], p[17:23]):
        assert eye[0, 0] == eye[:, 0].min()
        assert eye[3, 0] == eye[:, 0].max()
        assert eye[1:3, 1].mean() < eye[4:6, 1].mean(), "upper lid before lower"
    assert p[5:11, 1].mean() < p[11:23, 1].mean() < p[23, 1] < p[24:28, 1].mean(), "brows, eyes, nose, mouth"
    assert p[24, 0] < p[25, 0] < p[26, 0]
    assert p[25, 1] <= p[27, 1]
    assert (face.box[:2] <= p.min(axis=0)).all()
    assert (face.box[2:] >= p.max(axis=0)).all()


@installed
@pytest.mark.slow
def test_it_works_without_any_network() -> None:
    """In a network namespace without even a loopback device, where the system allows one."""
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    code = (
        "import numpy as np\n"
        "from preprocessing.pose.mediapipe_offline import OfflineMediapipe\n"
        "from preprocessing.pose.offline_install import *\n"
        "backend = OfflineMediapipe(offline_python(offline_folder()))\n"
        "picture = np.zeros((64, 64, 3), np.uint8)\n"
        "print(backend.detect_body(picture, 0.5), backend.detect_face(picture))\n"
        "backend.close()\n"
    )
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", code],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stdout.strip() == "None None", done.stderr


@installed
def test_a_killed_process_is_started_again() -> None:
    backend = OfflineMediapipe(offline_python(offline_folder()))
    picture = np.ascontiguousarray(
        render_clip(PuppetSpec("kaito", "idle", "neutral", 0, 1, 64)).video[0, ..., :3]
    )
    try:
        before = backend.detect_face(picture)
        assert backend._process is not None
        backend._process.kill()
        backend._process.wait()
        after = backend.detect_face(picture)
        assert (before is None) == (after is None)
    finally:
        backend.close()


def test_a_process_that_dies_twice_is_one_clear_line_with_its_last_words(tmp_path: Path) -> None:
    backend = OfflineMediapipe(
        interpreter(tmp_path, 'echo run >> "$0.log"; echo "no such library" >&2; exit 3')
    )
    with pytest.raises(UserError, match=r"ended twice on a picture of 8x6 .*: no such library") as caught:
        backend.detect_body(np.zeros((6, 8, 3), np.uint8), 0.5)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "python.log").read_text().count("run") == 2


def test_an_answer_cut_short_is_an_error_too(tmp_path: Path) -> None:
    backend = OfflineMediapipe(interpreter(tmp_path, "printf '\\001\\000\\000\\000\\041'"))
    with pytest.raises(UserError, match="ended twice"):
        backend.detect_body(np.zeros((6, 8, 3), np.uint8), 0.5)


def test_a_missing_or_unfinished_environment_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; .*install-offline-mediapipe"):
        offline_python(tmp_path / "none")
    half = tmp_path / "half"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").touch()
    with pytest.raises(UserError, match="is not complete; .*install-offline-mediapipe"):
        offline_python(half)


def test_install_leaves_other_peoples_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    # A virtual environment for something else is somebody's too.
    (tmp_path / "letters" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    with pytest.raises(UserError, match="did not make"):
        install_offline_mediapipe(tmp_path / "letters", say=lambda line: None)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "dear"
    assert [file.name for file in tmp_path.iterdir()] == ["letters"]


def test_install_fails_in_one_line_and_what_it_left_is_never_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    with pytest.raises(UserError, match="cannot make a Python environment: .*no-such-python"):
        install_offline_mediapipe(folder, str(tmp_path / "no-such-python"), lambda line: None)
    # An environment whose pip fails, as with no network.
    make = interpreter(
        tmp_path,
        'mkdir -p "$3/bin"; touch "$3/pyvenv.cfg"\n'
        'printf \'#!/bin/sh\\necho "ERROR: No matching distribution" >&2\\nexit 1\\n\' > "$3/bin/python"\n'
        'chmod +x "$3/bin/python"',
    )
    with pytest.raises(UserError, match="cannot install mediapipe 0.10.21 .*ERROR: No matching distribution"):
        install_offline_mediapipe(folder, str(make), lambda line: None)
    with pytest.raises(UserError, match="is not complete"):
        offline_python(folder)
    said: list[str] = []
    with pytest.raises(UserError, match="No matching distribution"):
        install_offline_mediapipe(folder, str(make), said.append)
    assert any("unfinished installation is removed" in line for line in said)


def test_every_requirement_is_pinned_with_hashes() -> None:
    lines = offline_install._REQUIREMENTS.read_text().splitlines()
    pins = [line for line in lines if "==" in line]
    assert [line.split("==")[0] for line in pins] == ["mediapipe", "numpy", "protobuf"]
    assert sum("--hash=sha256:" in line for line in lines) > 20


@pytest.mark.network
@pytest.mark.slow
def test_a_fresh_installation_is_complete_and_a_second_one_does_nothing(tmp_path: Path) -> None:
    folder, said = tmp_path / "environment", []
    install_offline_mediapipe(folder, say=said.append)
    assert offline_python(folder).is_file()
    install_offline_mediapipe(folder, say=said.append)
    assert said[-1].endswith("complete already")
