"""A clip store in other people's formats."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.video_io import write_frames

from .exporters.charactergan import DrawingsFolder
from .exporters.coco import CocoFile
from .exporters.label_table import write_label_table
from .exporters.openpose import write_openpose
from .exporters.shards import write_shards
from .exporters.store_tracks import copy_media, store_tracks
from .new_folder import new_folder


class Format(StrEnum):
    """What a store can be written as."""

    OPENPOSE = "openpose"
    COCO = "coco"
    COCO_WHOLEBODY = "coco-wholebody"
    CHARACTERGAN = "charactergan"
    CSV = "csv"
    WEBDATASET = "webdataset"


def export_store(path: Path, kind: Format, out: Path, quiet: bool = False) -> None:
    """Write a store's clips and labels, whole or not at all, the same bytes every time.

    ``openpose`` writes ``labels/<clip>/`` and ``media/<clip>.mkv``; ``csv`` writes ``labels/<clip>.csv`` and the same
    media; ``coco`` and ``coco-wholebody`` write ``annotations.json`` and ``images/<clip>/00000.png``;
    ``charactergan`` writes a folder per character; ``webdataset`` writes ``clips-000000.tar``. The importers read each
    of them again.

    Args:
        path: the store.
        kind: see :class:`Format`.
        out: a new or empty folder.
        quiet: no progress bar.
    Raises:
        UserError: the format cannot hold the store's skeleton or expressions, or ``out`` is in use or in the store.
        StoreError: the store is damaged.
    """
    store = Store.open(path)
    if out.resolve().is_relative_to(path.resolve()):
        raise UserError(
            f"{out}: lies in the store, and would go with it when that is made anew; name another folder"
        )
    with new_folder(out) as folder:
        match kind:
            case Format.WEBDATASET:
                write_shards(store, folder)
            case Format.CHARACTERGAN:
                _write_drawings(store, folder, quiet)
            case Format.COCO | Format.COCO_WHOLEBODY:
                _write_coco(store, folder, kind == Format.COCO_WHOLEBODY, quiet)
            case Format.OPENPOSE:
                for row, track in store_tracks(store, quiet):
                    write_openpose(folder / "labels" / row.id, row.id, track, (row.width, row.height))
                    copy_media(store, row, folder)
            case Format.CSV:
                (folder / "labels").mkdir()
                for row, track in store_tracks(store, quiet):
                    write_label_table(folder / "labels" / f"{row.id}.csv", track)
                    copy_media(store, row, folder)


def _write_coco(store: Store, folder: Path, whole_body: bool, quiet: bool) -> None:
    file = CocoFile(store.info.skeleton, whole_body)
    for row, track in store_tracks(store, quiet):
        names = file.add(row.id, track, (row.width, row.height))
        for name, frame in zip(names, store.frames(row.id), strict=True):
            write_frames(folder / "images" / name, frame[None], row.fps)
    file.write(folder / "annotations.json")


def _write_drawings(store: Store, folder: Path, quiet: bool) -> None:
    names = _folder_names(store.info.characters)
    folders = {
        character: DrawingsFolder(folder / name, store.info.skeleton) for character, name in names.items()
    }
    for row, track in store_tracks(store, quiet):
        folders[row.character].add(row.id, track, store.frames(row.id))


def _folder_names(characters: Iterable[str]) -> dict[str, str]:
    """Character -> a name that is one folder's, and no other's on systems to which case is nothing."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for character in characters:
        stem = re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", character).strip(" .")[:60] or "character"
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.casefold())
        names[character] = name
    return names
