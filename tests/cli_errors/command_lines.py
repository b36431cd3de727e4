"""Commands that are right but for what a test puts in."""

import shutil
from pathlib import Path


def training(
    room: Path, *more: object, store: Path | None = None, out: Path | None = None
) -> tuple[object, ...]:
    data, run = store or room / "store", out or room / "never"
    return "train", room / "c.yaml", *more, "--data", data, "--out", run, "--quiet"


def generating(room: Path, tmp_path: Path, **options: object) -> tuple[object, ...]:
    values = {
        "animator": room / "run",
        "pose": "motion:wave",
        "out": tmp_path / "a.gif",
        "frames": 2,
        **options,
    }
    return "generate", *[x for key, value in values.items() for x in (f"--{key}", value)], "--quiet"


def copy_of(store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(store, tmp_path / "copy", ignore=shutil.ignore_patterns("cache")))


def unwritable(tmp_path: Path) -> Path:
    """A place where nobody, not even root, can make a folder: inside a file."""
    (tmp_path / "file").write_text("no folder")
    return tmp_path / "file"
