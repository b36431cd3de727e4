"""Flow that preprocessing has measured serves training, and is never taken for exact."""

import numpy as np
import pytest
from moving_dots import EXPRESSIONS, SKELETON, moving_clip

from temporal_gan.data.flow_source import dis_flow_source
from temporal_gan.data.manifest import ClipRow
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.errors import StoreError
from temporal_gan.puppet.dataset import exact_flow_source


def _store(folder, **more):
    frames, labels, truth = moving_clip(5, 24, 16, 3)
    with StoreWriter(folder, SKELETON, EXPRESSIONS, 12.0, (24, 16), 3) as writer:
        writer.add_clip(ClipRow(id="a", character="dot", split="train"), frames, labels, truth | more)
    store = Store.open(folder)
    return store, store.row("a"), truth


def test_measured_flow_is_used_as_it_was_kept_and_is_not_exact(tmp_path):
    store, row, truth = _store(tmp_path / "s", measured_by=np.array("DIS medium"))
    flow, valid = dis_flow_source(store)(row)
    assert np.array_equal(flow, truth["flow"])
    assert np.array_equal(valid, truth["flow_valid"])
    assert str(store.truth("a")["measured_by"]) == "DIS medium"
    with pytest.raises(StoreError, match="clip a"):
        exact_flow_source(store)(row)


def test_exact_flow_is_not_taken_for_a_measurement(tmp_path):
    store, row, truth = _store(tmp_path / "s")
    assert np.array_equal(exact_flow_source(store)(row)[0], truth["flow"])
    assert not np.array_equal(dis_flow_source(store)(row)[0], truth["flow"])
