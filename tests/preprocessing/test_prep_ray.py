"""Ray makes the same store as this machine alone."""

import os
import sys

import pytest
from deadly_task import DeadlyTask
from small_inputs import digest, run_quickly, write_inputs

from preprocessing import ray_engine
from preprocessing.lanes import Died

pytest.importorskip("ray", reason="pip install 'temporal_gan[scale]'")


@pytest.fixture(scope="module", autouse=True)
def here_only():
    with pytest.MonkeyPatch.context() as patch:
        # Ray's processes import what the tasks are made of.
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield
        import ray

        ray.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_same_store_to_the_byte(tmp_path):
    inputs = write_inputs(tmp_path / "inputs")
    run_quickly(inputs, tmp_path / "here" / "store")
    run_quickly(inputs, tmp_path / "there" / "store", engine=ray_engine.do_all, workers=2)
    assert digest(tmp_path / "there" / "store") == digest(tmp_path / "here" / "store")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_death_costs_only_its_item(tmp_path):
    results = list(ray_engine.do_all(DeadlyTask(tmp_path), [["a1", "dies", "a2"], ["b1"]], 2, 60.0))
    assert sorted(r.item if isinstance(r, Died) else r[0] for r in results) == ["a1", "a2", "b1", "dies"]
    (dead,) = [r for r in results if isinstance(r, Died)]
    assert dead.item == "dies"
