"""Reference flow of clips that have no exact one: measured, and checked for consistency."""

import numpy as np

from ..alpha import over_white
from ..optical_flow import dis_flow_checked
from .cache import FlowSource
from .manifest import ClipRow
from .store import Store


def dis_flow_source(store: Store) -> FlowSource:
    """Flow by OpenCV's DIS on each clip over white, valid where forward and backward flow agree."""

    def measure(row: ClipRow) -> tuple[np.ndarray, np.ndarray]:
        flow, valid = dis_flow_checked(over_white(store.frames(row.id)))
        return flow.numpy(), valid.numpy()

    return measure
