"""A store as WebDataset shards: tar files of clips, read by ``webdataset`` or by any tar program. Nothing is lost.

A clip is three or four members of one name, its number: ``00000012.mkv`` (or ``.mp4``: the store's video, byte for
byte), ``.json`` (``clip`` = its row of ``clips.parquet``, ``store`` = ``store.json``), ``.npz`` (the arrays of
:class:`temporal_gan.data.manifest.ClipLabels`, origins as text), and ``.truth.npz`` where exact flow was kept.
"""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from temporal_gan.data.manifest import ClipLabels
from temporal_gan.data.store import Store
from temporal_gan.errors import StoreError

ARRAYS = ("keypoints", "confidence", "layer", "expression", "expression_confidence", "time", "hold")
CLIPS_PER_SHARD = 256
"""At 2 to 4 MB a clip of some seconds, shards stay below the gigabyte that WebDataset advises."""


def write_shards(store: Store, folder: Path, clips_per_shard: int = CLIPS_PER_SHARD) -> list[Path]:
    """Write all clips in order as ``clips-000000.tar`` and so on; the same store gives the same bytes.

    Args:
        store: opened.
        folder: exists.
        clips_per_shard: at least 1.
    Raises:
        StoreError: a video or exact arrays are missing, or labels break the legend.
    """
    about = store.info.to_dict()
    files = []
    for start in range(0, len(store.clips), clips_per_shard):
        file = folder / f"clips-{start // clips_per_shard:06d}.tar"
        with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as shard:
            for number in range(start, min(start + clips_per_shard, len(store.clips))):
                row = store.clips[number]
                text = json.dumps({"clip": row.to_dict(), "store": about}, ensure_ascii=False, sort_keys=True)
                parts: dict[str, bytes | Path] = {row.video: store.video_file(row), ".json": text.encode()}
                parts[".npz"] = _npz(store.labels(row.id))
                if row.truth_sha256:
                    parts[".truth.npz"] = store.truth_file(row)
                for suffix, content in parts.items():
                    _add(shard, f"{number:08d}{suffix}", content)
        files.append(file)
    return files


def _add(shard: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    """Without date and owner: the same content is the same bytes."""
    if isinstance(content, Path):
        try:
            content = content.read_bytes()
        except FileNotFoundError as error:
            raise StoreError(f"{error.filename}: is missing") from None
    member = tarfile.TarInfo(name)
    member.size = len(content)
    shard.addfile(member, io.BytesIO(content))


def _npz(labels: ClipLabels) -> bytes:
    arrays = {name: np.asarray(getattr(labels, name)) for name in ARRAYS}
    arrays["origin"] = np.array(labels.origins())
    buffer = io.BytesIO()
    # np.savez stamps nothing but a fixed date; compressing would gain little beside the video.
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return buffer.getvalue()
