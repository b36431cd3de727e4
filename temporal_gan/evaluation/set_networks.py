"""The networks that two sets of clips are compared with: what each makes of a clip, and which numbers come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import CheckpointError
from ..features import load_i3d, load_inception
from ..models.reader_file import find_reader, load_reader
from ..weights import I3D, INCEPTION, find_weights
from .clip_sets import SetClip
from .metric_definition import MetricDefinition
from .protocols import SetProtocol
from .reader_set_metrics import READER_CLIP_SET_METRICS, READER_PICTURE_SET_METRICS
from .set_comparisons import (
    Sample,
    Values,
    compare_inception_pictures,
    compare_nothing_more,
    compare_reader_pictures,
    compare_reader_windows,
    describe_inception,
    describe_nothing,
    describe_reader_pictures,
)
from .set_features import Features, i3d_window, inception_pictures, reader_pictures, reader_window
from .set_metrics import CLIP_SET_METRICS, PICTURE_SET_METRICS


@dataclass(frozen=True)
class SetNetwork:
    """How one network judges two sets.

    Attributes:
        vectors: what a vector stands for.
        find: the file asked for, or None for the usual one -> the weights file; raises CheckpointError.
        load: weights file -> the network.
        features: network, clip -> what it makes of it; empty for a clip that is too short.
        frechet: name of each Frechet distance -> the kind of features it is of.
        compare: the other numbers of two samples.
        describe: numbers of one set alone; of the real set they are called ``<name>_real``.
        kernel: the kernel distance that has a p-value; empty for none.
        sees_motion: frozen and shuffled clips are far.
        metrics: everything that comes of it, in the order of the report.
    """

    vectors: Literal["frames", "clips"]
    find: Callable[[Path | None], Path]
    load: Callable[[Path], Any]
    features: Callable[[Any, SetClip, SetProtocol], Features]
    frechet: dict[str, str]
    compare: Callable[[Sample, Sample, SetProtocol], Values]
    describe: Callable[[Sample, SetProtocol], Values]
    kernel: str
    sees_motion: bool
    metrics: tuple[MetricDefinition, ...]


def network_of(protocol: SetProtocol) -> SetNetwork:
    """The network of a protocol, for pictures or for windows."""
    return _NETWORKS[protocol.network, "window" if protocol.window > 1 else "picture"]


def _find_reader(path: Path | None) -> Path:
    file = find_reader(path or "metrics")
    if not file.is_file():
        raise CheckpointError(
            f"{file}: the reader that comes with the package is not there; install the package again, or give a file "
            "of `temporal-gan reader train` as --reader"
        )
    return file


_NETWORKS = {
    ("inception", "picture"): SetNetwork(
        vectors="frames",
        find=lambda path: find_weights(INCEPTION, path),
        load=load_inception,
        features=inception_pictures,
        frechet={"fid": "pool"},
        compare=compare_inception_pictures,
        describe=describe_inception,
        kernel="kernel_distance",
        sees_motion=False,
        metrics=PICTURE_SET_METRICS,
    ),
    ("i3d", "window"): SetNetwork(
        vectors="clips",
        find=lambda path: find_weights(I3D, path),
        load=load_i3d,
        features=i3d_window,
        frechet={"fvd": "pool"},
        compare=compare_nothing_more,
        describe=describe_nothing,
        kernel="",
        sees_motion=False,
        metrics=CLIP_SET_METRICS,
    ),
    ("reader", "picture"): SetNetwork(
        vectors="frames",
        find=_find_reader,
        load=load_reader,
        features=reader_pictures,
        frechet={"reader_fid": "pool"},
        compare=compare_reader_pictures,
        describe=describe_reader_pictures,
        kernel="reader_kernel_distance",
        sees_motion=False,
        metrics=READER_PICTURE_SET_METRICS,
    ),
    ("reader", "window"): SetNetwork(
        vectors="clips",
        find=_find_reader,
        load=load_reader,
        features=reader_window,
        frechet={"reader_fvd": "pool", "pose_motion_distance": "motion"},
        compare=compare_reader_windows,
        describe=describe_nothing,
        kernel="reader_video_kernel_distance",
        sees_motion=True,
        metrics=READER_CLIP_SET_METRICS,
    ),
}
