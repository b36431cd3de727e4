"""Checking a clip store that came from elsewhere, or was kept for long, before anything is trained on it."""

from pathlib import Path

from ..errors import StoreError
from .manifest import sha256_of
from .store import Store


def validate_store(path: Path | str, deep: bool = False) -> Store:
    """Check a store; the first fault is raised.

    Args:
        path: the store's folder.
        deep: also read every video and exact array: hashes, and a full decode. Without it their presence and
            size are checked, which finds missing and truncated files.
    Returns:
        the store, opened.
    Raises:
        StoreError: another schema version, a missing or changed file, labels that break the legend (clip and
        frame
            are named), or a truncated video.
    """
    store = Store.open(path)
    info = store.info
    if info.with_hash().content_hash != info.content_hash:
        raise StoreError(f"{store.path / 'store.json'}: was edited: its content hash does not fit its fields")
    for name, want in (("clips.parquet", info.clips_sha256), ("frames.parquet", info.frames_sha256)):
        if sha256_of(store.path / name) != want:
            raise StoreError(f"{store.path / name}: checksum differs from store.json; make the store again")
    joints, expressions = len(info.skeleton.joints), len(info.expressions)
    for row in store.clips:
        if row.character not in info.characters:
            raise StoreError(f"clip {row.id}: character {row.character!r} is not in store.json")
        store.labels(row.id).validate(row.id, joints, expressions)
        video = store.video_file(row)
        if not video.is_file():
            raise StoreError(f"{video}: is missing")
        if video.stat().st_size != row.video_bytes:
            got = video.stat().st_size
            raise StoreError(f"{video}: {got} bytes, expected {row.video_bytes}; truncated or replaced")
        if row.truth_sha256 and not store.truth_file(row).is_file():
            raise StoreError(f"{store.truth_file(row)}: is missing")
        if deep:
            if sha256_of(video) != row.video_sha256:
                raise StoreError(f"{video}: checksum differs from clips.parquet; damaged or replaced")
            store.frames(row.id)
            if row.truth_sha256 and sha256_of(store.truth_file(row)) != row.truth_sha256:
                raise StoreError(
                    f"{store.truth_file(row)}: checksum differs from clips.parquet; damaged or replaced"
                )
    return store
