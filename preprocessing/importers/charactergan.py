"""A folder of labelled drawings (temporal_gan.drawings) -> clip store."""

from collections.abc import Sequence
from pathlib import Path

from temporal_gan.data.drawing_store import write_drawing_store
from temporal_gan.data.manifest import StoreInfo
from temporal_gan.drawings import read_charactergan


def import_charactergan(
    folder: Path | str, out: Path | str, hold_out: Sequence[str] = (), licence: str = ""
) -> StoreInfo:
    """Write a store with one clip of one frame per drawing.

    Args:
        folder: the drawings; its name becomes the character's.
        out: folder of the new store.
        hold_out: file names of the drawings for the test split; all others train.
        licence: of the drawings; "" = unknown.
    Returns:
        the store's description.
    Raises:
        UserError: see :func:`read_charactergan` and :func:`write_drawing_store`.
    """
    return write_drawing_store(read_charactergan(folder), out, hold_out, licence)
