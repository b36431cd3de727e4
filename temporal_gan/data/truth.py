"""Exact arrays of one clip (flow, validity, part maps ...) as ``truth/<id>.npz``; validity in bits."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ..errors import StoreError

MEASURED_BY = "measured_by"
"""Name of the text beside a clip's flow that says how it was measured; there is none where the flow is exact."""

Flow = tuple[np.ndarray, np.ndarray]


def exact_flow(truth: dict[str, np.ndarray] | None) -> Flow | None:
    """Flow and validity of a clip's arrays, or None where there is none, or only a measured one."""
    if truth is None or "flow" not in truth or MEASURED_BY in truth:
        return None
    return truth["flow"], truth["flow_valid"]


def measured_flow(truth: dict[str, np.ndarray] | None) -> Flow | None:
    """Flow and validity that preprocessing has measured and kept, or None."""
    if truth is None or "flow" not in truth or MEASURED_BY not in truth:
        return None
    return truth["flow"], truth["flow_valid"]


def write_truth(file: Path, clip: str, truth: dict[str, np.ndarray], size: tuple[int, int, int]) -> None:
    """Check and write the exact arrays of one clip, whole or not at all.

    Args:
        file: its folder must exist.
        clip: for error messages.
        truth: ``flow`` float [T-1, 2, H, W] pixels and ``flow_valid`` bool [T-1, 1, H, W] come together and
            are checked; arrays of any other name are kept as they are. ``measured_by`` marks flow that is not exact.
        size: T, H, W.
    Raises:
        StoreError: names the clip, the array and, for numbers that are not finite, the frame.
    """
    frames, height, width = size
    if ("flow" in truth) != ("flow_valid" in truth):
        raise StoreError(f"clip {clip}: truth has flow or flow_valid without the other")
    arrays = dict(truth)
    if "flow" in truth:
        flow, valid = truth["flow"], truth["flow_valid"]
        if flow.shape != (frames - 1, 2, height, width) or flow.dtype not in (np.float16, np.float32):
            want = f"float16 or float32 {(frames - 1, 2, height, width)}"
            raise StoreError(f"clip {clip}: truth flow is {flow.dtype} {flow.shape}, expected {want}")
        if valid.shape != (frames - 1, 1, height, width) or valid.dtype != bool:
            want = f"bool {(frames - 1, 1, height, width)}"
            raise StoreError(f"clip {clip}: truth flow_valid is {valid.dtype} {valid.shape}, expected {want}")
        bad = ~np.isfinite(flow).all(axis=(1, 2, 3))
        if bad.any():
            raise StoreError(f"clip {clip}, frame {int(bad.argmax())}: truth flow is not a finite number")
        arrays["flow_valid"] = np.packbits(valid)
    temporary = file.with_name(f".{file.stem}.part.npz")
    # The fastest level: numpy's own takes six times as long for flow and saves a quarter.
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pieces:
        for name, array in arrays.items():
            with pieces.open(f"{name}.npy", "w", force_zip64=True) as piece:
                np.lib.format.write_array(piece, np.asanyarray(array), allow_pickle=False)
    os.replace(temporary, file)


def read_truth(file: Path, size: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Inverse of :func:`write_truth`.

    Args:
        file: the .npz.
        size: T, H, W of the clip.
    Raises:
        StoreError: missing, damaged, or of another size; the file is named.
    """
    frames, height, width = size
    shape = (frames - 1, 1, height, width)
    try:
        with np.load(file, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        if "flow" in arrays:
            packed, count = arrays["flow_valid"], int(np.prod(shape))
            if arrays["flow"].shape != (frames - 1, 2, height, width) or packed.size != (count + 7) // 8:
                raise StoreError(
                    f"{file}: flow is {arrays['flow'].shape}, expected {(frames - 1, 2, height, width)}"
                )
            arrays["flow_valid"] = np.unpackbits(packed, count=count).reshape(shape).astype(bool)
    except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise StoreError(f"{file}: exact truth is unreadable ({error})") from None
    except ValueError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{file}: exact truth is unreadable ({error})") from None
    return arrays
