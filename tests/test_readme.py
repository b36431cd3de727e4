"""The README's Python example is under fifteen lines and runs; its files and commands exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", README, re.DOTALL)


def test_example_is_under_fifteen_lines() -> None:
    assert EXAMPLE is not None
    code = [line for line in EXAMPLE[1].splitlines() if line.strip() and "import" not in line]
    assert len([line for line in EXAMPLE[1].splitlines() if line.strip()]) < 16
    assert len(code) < 15


@pytest.mark.slow
def test_example_runs(tmp_path: Path) -> None:
    assert EXAMPLE is not None
    code = EXAMPLE[1].replace("train.steps=100", "train.steps=6")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint('shape', tuple(clip.shape))"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "shape (48, 4, 64, 64)" in done.stdout


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_every_named_file_exists(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    named = re.findall(r"`((?:temporal_gan|preprocessing|configs|docs)/[\w./]*)`", text)
    named += re.findall(r"\]\((docs/[\w./]+)\)", text)
    assert named
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


def test_both_readmes_give_the_same_commands() -> None:
    commands = [
        re.findall(r"^(?:make|temporal-gan)[^#\n]*", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        for name in ("README.md", "README.zh-CN.md")
    ]
    english, chinese = (
        [c.strip().replace("图片文件夹", "FOLDER_OF_PICTURES") for c in found] for found in commands
    )
    assert english == chinese
