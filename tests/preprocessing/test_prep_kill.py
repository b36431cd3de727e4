"""A run that is killed again and again, at any moment, ends where an undisturbed one does."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_inputs import QUICK, digest, run_quickly, write_inputs

KILLS = 20


@pytest.mark.slow
def test_twenty_kills_and_the_same_store(tmp_path):
    inputs = write_inputs(tmp_path / "inputs", files=4)
    undisturbed = tmp_path / "undisturbed" / "store"
    undisturbed.parent.mkdir()
    run_quickly(inputs, undisturbed)
    out = tmp_path / "store"
    command = [sys.executable, "-c", "from preprocessing.cli import main; main()", "run", str(inputs)]
    command += ["--out", str(out), "--licence", "CC0-1.0", "--workers", "2", "--quiet"]
    for change in QUICK:
        command += ["--set", change]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    moments = random.Random(0)
    done = 0
    killed_at_work = 0
    for _ in range(KILLS):
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, start_new_session=True
        ) as process:
            # From the moment it has a work folder: starting up is no work.
            begun = time.monotonic()
            while not (tmp_path / "store.work" / "lock").exists() and time.monotonic() - begun < 60:
                time.sleep(0.01)
            try:
                process.wait(moments.uniform(0.0, 12.0))
                done += 1
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed_at_work += 1
        assert not (out / "store.json").exists() or (out / "run.json").exists()
    assert killed_at_work >= KILLS // 2
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert _store_only(out) == _store_only(undisturbed)
    assert not list(tmp_path.glob(".store.*"))


def _store_only(store: Path) -> dict[str, str]:
    # The report shows the folder's name and is written after the store.
    return {name: value for name, value in digest(store).items() if not name.startswith("report/")}
