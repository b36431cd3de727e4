"""The environment of its own that the offline MediaPipe lives in, because its pins cannot share this one."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock

from temporal_gan.errors import UserError

FOLDER_VARIABLE = "TEMPORAL_GAN_OFFLINE_MEDIAPIPE"
"""Environment variable that names another folder for the environment."""

INSTALL_COMMAND = "temporal-gan-preprocess install-offline-mediapipe"
_REQUIREMENTS = Path(__file__).with_name("offline_requirements.txt")
_MARKER = "complete.json"
"""Empty from the first moment on: the folder is ours; filled in when the environment works."""


def offline_folder() -> Path:
    """``$TEMPORAL_GAN_OFFLINE_MEDIAPIPE``, else ``~/.cache/temporal_gan/mediapipe-0.10.21``."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "temporal_gan" / "mediapipe-0.10.21"


def offline_python(folder: Path) -> Path:
    """The interpreter of a complete environment.

    Raises:
        UserError: there is none, or its installation did not end well.
    """
    if not _is_complete(folder):
        what = "is not complete" if folder.exists() else "does not exist"
        raise UserError(
            f"pose backend mediapipe-offline: its environment {folder} {what}; make it once, with network: "
            f"{INSTALL_COMMAND}"
        )
    return _interpreter(folder)


def install_offline_mediapipe(
    folder: Path, python: str = sys.executable, say: Callable[[str], None] = print
) -> Path:
    """Make the environment, or repair one whose making was interrupted; a complete one is left as it is.

    Needs the package index once (about 65 MB, every file checked against its sha256); what is installed needs none.

    Args:
        folder: of the environment.
        python: an interpreter of version 3.9 to 3.12.
        say: told of each step.
    Returns:
        the folder.
    Raises:
        UserError: the folder holds something else, the interpreter does not do, or pip failed (its last line).
    """
    _check_own(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if _is_complete(folder):
            say(f"{folder}: complete already")
            return folder
        _check_own(folder)
        if folder.exists():
            say(f"{folder}: an unfinished installation is removed")
            shutil.rmtree(folder)
        say(f"{folder}: making the environment")
        folder.mkdir()
        (folder / _MARKER).write_text("{}", encoding="utf-8")
        _run([python, "-m", "venv", str(folder)], "cannot make a Python environment")
        say("installing mediapipe 0.10.21 and the two packages it needs")
        interpreter = str(_interpreter(folder))
        pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pins = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(_REQUIREMENTS)]
        _run(
            [*pip, *pins],
            "cannot install mediapipe 0.10.21 (it needs the package index and Python 3.9 to 3.12)",
        )
        say("trying it")
        _try(folder)
        (folder / _MARKER).write_text(json.dumps({"requirements": _requirements_hash()}), encoding="utf-8")
        say(f"{folder}: complete")
    return folder


def _check_own(folder: Path) -> None:
    """Raises UserError unless the folder is ours to remove: also somebody's own environment is not."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file; give another folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARKER).is_file():
        raise UserError(f"{folder}: holds something that this command did not make; give another folder")


def _try(folder: Path) -> None:
    # The backend starts only what is complete; this is what makes it so.
    from .mediapipe_offline import OfflineMediapipe

    backend = OfflineMediapipe(_interpreter(folder))
    try:
        backend.detect_body(np.zeros((64, 64, 3), np.uint8), 0.5)
        backend.detect_face(np.zeros((64, 64, 3), np.uint8))
    finally:
        backend.close()


def _is_complete(folder: Path) -> bool:
    try:
        marker = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return marker == {"requirements": _requirements_hash()} and _interpreter(folder).is_file()


def _requirements_hash() -> str:
    return hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(command: list[str], failure: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UserError(f"{failure}: {command[0]}: {error.strerror}") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        # pip's warnings and notices follow its errors.
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no message"]
        raise UserError(f"{failure}: {errors[-1].strip()}")
