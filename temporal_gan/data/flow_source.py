"""Reference flow of clips that have no exact one: measured, and checked for consistency."""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from ..alpha import over_white
from ..optical_flow import dis_flow_checked
from ..raft import PUBLISHED, RaftSize, load_raft, raft_flow_checked
from ..weights import find_weights, sha256_of_weights
from .cache import FlowSource
from .manifest import ClipRow
from .store import Store
from .truth import measured_flow


def dis_flow_source(store: Store) -> FlowSource:
    """Flow by OpenCV's DIS on each clip over white, valid where forward and backward flow agree.

    A clip whose flow preprocessing has measured and kept needs none: that one also knows held drawings.
    """

    def measure(row: ClipRow) -> tuple[np.ndarray, np.ndarray]:
        kept = measured_flow(store.truth(row.id)) if row.truth_sha256 else None
        if kept is not None:
            return kept
        flow, valid = dis_flow_checked(over_white(store.frames(row.id)))
        return flow.numpy(), valid.numpy()

    return measure


def raft_flow_source(
    store: Store, size: RaftSize, path: Path | None, device: torch.device
) -> tuple[str, FlowSource]:
    """The same by RAFT, and a name for the cache that holds it, in which the weights have their part.

    The network is loaded when the first clip is measured: a cache that is whole needs none.

    Args:
        store: whose clips.
        size, path, device: as :func:`temporal_gan.raft.load_raft` takes them.
    Raises:
        CheckpointError: no such weights file.
    """
    file = find_weights(PUBLISHED[size], path)
    network = cache(lambda: load_raft(size, file, device))

    def measure(row: ClipRow) -> tuple[np.ndarray, np.ndarray]:
        flow, valid = raft_flow_checked(network(), over_white(store.frames(row.id)))
        return flow.numpy(), valid.numpy()

    return f"{size}_{sha256_of_weights(file)[:8]}", measure
