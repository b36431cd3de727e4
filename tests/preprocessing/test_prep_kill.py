"""A run that is killed again and again, at any moment, ends where an undisturbed one does."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_inputs import QUICK, digest, write_inputs

KILLS = 20


@pytest.mark.slow
def test_twenty_kills_and_the_same_store(tmp_path):
    inputs = write_inputs(tmp_path / "inputs", files=4)
    out, work = tmp_path / "store", tmp_path / "store.work"
    command = [sys.executable, "-c", "from preprocessing.cli import main; main()", "run", str(inputs)]
    command += ["--out", str(out), "--licence", "CC0-1.0", "--workers", "2", "--quiet"]
    for change in QUICK:
        command += ["--set", change]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    begun = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    whole_run = time.monotonic() - begun
    undisturbed = _store_only(out)
    shutil.rmtree(out)
    shutil.rmtree(work)
    moments = random.Random(0)
    kills = at_work = 0
    while kills < KILLS:
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(moments.uniform(0.0, whole_run))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
                at_work += work.exists()
        assert process.returncode in (0, -signal.SIGKILL)
        assert not (out / "store.json").exists() or (out / "run.json").exists()
        if process.returncode == 0:
            # Done before the kill: from the beginning.
            assert _store_only(out) == undisturbed
            shutil.rmtree(out)
            shutil.rmtree(work)
    assert at_work >= KILLS // 2, "most kills must hit a run that has begun"
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert _store_only(out) == undisturbed
    assert not list(tmp_path.glob(".store.*"))


def _store_only(store: Path) -> dict[str, str]:
    # The report shows the folder's name and is written after the store.
    return {name: value for name, value in digest(store).items() if not name.startswith("report/")}
