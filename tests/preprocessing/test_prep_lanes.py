"""Items in processes that may die: the culprit fails alone."""

import os
import signal
import subprocess
import sys
import time
from ctypes import c_double
from pathlib import Path

import pytest
from deadly_task import DeadlyTask
from strange_media import encode, numbered, source

from preprocessing.config import load_preprocess_config
from preprocessing.ingest import ShotReader
from preprocessing.lanes import Died, do_all
from preprocessing.shots import scan
from preprocessing.sign_of_life import tell_by

LONG = 60.0


def _names(results):
    return sorted(r.item if isinstance(r, Died) else r[0] for r in results)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_done_once(tmp_path, workers):
    runs = [["a1", "a2", "a3"], ["b1"], ["c1", "c2"]]
    results = list(do_all(DeadlyTask(tmp_path), runs, workers, LONG))
    assert _names(results) == ["a1", "a2", "a3", "b1", "c1", "c2"]
    assert len({r[1] for r in results}) <= workers
    assert all((tmp_path / f"{name}.tried").read_text() == "x" for name in _names(results))


def test_a_run_stays_in_one_process_and_in_order(tmp_path):
    results = {r[0]: r for r in do_all(DeadlyTask(tmp_path), [["a1", "a2", "a3"], ["b1", "b2"]], 2, LONG)}
    assert results["a1"][1] == results["a2"][1] == results["a3"][1]
    own = [name for name in results["a3"][2] if name.startswith("a")]
    assert own == ["a1", "a2", "a3"]


def test_a_death_costs_only_its_item(tmp_path):
    runs = [["a1", "dies", "a2"], ["b1", "b2"]]
    results = list(do_all(DeadlyTask(tmp_path), runs, 1, LONG))
    assert _names(results) == ["a1", "a2", "b1", "b2", "dies"]
    (dead,) = [r for r in results if isinstance(r, Died)]
    assert dead.item == "dies"
    assert "died 2 times (signal 11)" in dead.reason
    assert (tmp_path / "dies.tried").read_text() == "xx"


def test_one_death_from_outside_is_forgiven(tmp_path):
    results = list(do_all(DeadlyTask(tmp_path), [["once", "a1"]], 1, LONG))
    assert _names(results) == ["a1", "once"]
    assert not any(isinstance(r, Died) for r in results)


def test_an_item_that_hangs_is_given_up(tmp_path):
    results = list(do_all(DeadlyTask(tmp_path), [["hangs", "a1"], ["b1"]], 2, 4.0))
    (dead,) = [r for r in results if isinstance(r, Died)]
    assert dead.item == "hangs"
    assert dead.reason == "took longer than 4 s and was given up"
    assert _names(results) == ["a1", "b1", "hangs"]


@pytest.mark.slow
def test_an_item_that_tells_it_is_at_work_may_take_its_time(tmp_path):
    before = time.monotonic()
    slow, dead = do_all(DeadlyTask(tmp_path), [["slow", "hangs"]], 1, 4.0)
    assert time.monotonic() - before > 6
    assert not isinstance(slow, Died)
    # Having been at work once does not help what hangs later.
    assert dead == Died("hangs", "took longer than 4 s and was given up")


def test_whoever_reads_a_source_tells_so_after_every_frame(tmp_path):
    config, told = load_preprocess_config(None, []), c_double(0)
    film = source(encode(tmp_path / "film.mkv", numbered(60)))
    tell_by(told)
    try:
        shots = scan(film, config.ingest, config.shots, config.dedupe, None)
        scanned = told.value
        ShotReader(config.ingest).read(film, shots[0])
        read = told.value
    finally:
        tell_by(None)
    assert 0 < scanned < read <= time.monotonic()


def test_a_full_disk_stops_the_run(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        list(do_all(DeadlyTask(tmp_path), [["raises", "a1"]], 1, LONG))


def test_nothing_to_do_starts_nothing(tmp_path):
    assert list(do_all(DeadlyTask(tmp_path), [], 4, LONG)) == []


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_behind(tmp_path):
    code = (
        "from deadly_task import DeadlyTask; from pathlib import Path; from preprocessing.lanes import do_all\n"
        f"for r in do_all(DeadlyTask(Path({str(tmp_path)!r})), [['a'], ['hangs']], 1, 60): print(r[1], flush=True)\n"
    )
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1])])
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    ) as run:
        worker = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
    for _ in range(100):
        if not _alive(worker):
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the process of a killed run is still there after 10 s")


def _alive(process: int) -> bool:
    # A dead process whose new parent has not asked for it yet is a zombie.
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
