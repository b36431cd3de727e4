"""Clips of a store, one after the other, as every exporter takes them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.progress import track as progress

from temporal_gan.data.manifest import ClipRow
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.expressions import EXPRESSIONS

from ..label_track import LabelTrack


def store_tracks(store: Store, quiet: bool) -> Iterator[tuple[ClipRow, LabelTrack]]:
    """Every clip's row and labels, in order.

    Args:
        store: opened.
        quiet: no progress bar.
    Raises:
        UserError: the store has expression channels of its own.
        StoreError: labels that break the legend.
    """
    unknown = [name for name in store.info.expressions if name not in EXPRESSIONS]
    if unknown:
        raise UserError(
            f"{store.path}: expressions {', '.join(unknown)} are the store's own; only webdataset holds them"
        )
    channels = [EXPRESSIONS.index(name) for name in store.info.expressions]
    for row in progress(store.clips, "exporting", total=len(store.clips), disable=quiet):
        labels = store.labels(row.id)
        intensity, sure = np.zeros((2, row.frames, len(EXPRESSIONS)), np.float32)
        intensity[:, channels], sure[:, channels] = labels.expression, labels.expression_confidence
        yield (
            row,
            LabelTrack(
                frame=np.arange(row.frames),
                keypoints=labels.keypoints,
                confidence=labels.confidence,
                skeleton=store.info.skeleton,
                layer=labels.layer,
                expression=intensity if channels else None,
                expression_confidence=sure if channels else None,
                origin=labels.origins(),
                time=labels.time,
                hold=labels.hold,
            ),
        )


def copy_media(store: Store, row: ClipRow, folder: Path) -> None:
    """Put a clip's video into ``folder/media``, byte for byte. Raises StoreError where it is missing."""
    (folder / "media").mkdir(exist_ok=True)
    shutil.copyfile(store.video_file(row), folder / "media" / f"{row.id}{row.video}")
