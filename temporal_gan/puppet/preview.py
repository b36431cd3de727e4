"""A look at a puppet store: a contact sheet of its clips, and a sample of them moving, beside its tables."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..alpha import over_white
from ..data.manifest import ClipRow
from ..data.store import Store
from ..video_io import write_frames

SHEET_COLUMNS, SHEET_ROWS = 8, 6
VIDEO_COLUMNS, VIDEO_ROWS = 4, 2
SHEET_FILE, VIDEO_FILE = "contact_sheet.png", "sample.mp4"
_TILE, _CAPTION = 160, 26


def write_store_preview(store: Store) -> tuple[Path, Path]:
    """Write both into the store's folder, where neither is part of its content; replaces older ones.

    Args:
        store: of puppet clips.
    Returns:
        contact_sheet.png, the middle frame of up to 48 clips spread over the store, and sample.mp4, up to 8 clips
        side by side for as long as the shortest of them.
    """
    sheet, video = store.path / SHEET_FILE, store.path / VIDEO_FILE
    shown = _spread(store, SHEET_COLUMNS * SHEET_ROWS)
    write_frames(sheet, _grid([_tile(store, row)[None] for row in shown], SHEET_COLUMNS), 1.0)
    clips = [over_white(store.frames(row.id)) for row in _spread(store, VIDEO_COLUMNS * VIDEO_ROWS)]
    length = min(len(clip) for clip in clips)
    write_frames(video, _grid([clip[:length] for clip in clips], VIDEO_COLUMNS), store.info.fps)
    return sheet, video


def _spread(store: Store, count: int) -> list[ClipRow]:
    places = np.unique(np.linspace(0, len(store.clips) - 1, count).round().astype(int))
    return [store.clips[int(place)] for place in places]


def _tile(store: Store, row: ClipRow) -> np.ndarray:
    """The middle frame over its caption, uint8 [H, W, 3]."""
    frame = over_white(store.frames(row.id)[row.frames // 2])
    side = max(_TILE, row.width)
    picture = Image.new("RGB", (side, side + _CAPTION), "white")
    # Small pictures stay crisp: they are looked at pixel by pixel.
    resampling = Image.Resampling.NEAREST if row.width <= 64 else Image.Resampling.LANCZOS
    picture.paste(Image.fromarray(frame).resize((side, side), resampling))
    recipe = json.loads(row.recipe)
    caption = f"{row.character} {recipe['motion']}\n{recipe['expression']} | {row.split}"
    ImageDraw.Draw(picture).multiline_text((4, side + 1), caption, fill="#333333", font_size=10, spacing=1)
    return np.asarray(picture)


def _grid(clips: list[np.ndarray], columns: int) -> np.ndarray:
    """Clips uint8 [T, H, W, 3] of one shape side by side, white where none is left."""
    columns = min(columns, len(clips))
    empty = [np.full_like(clips[0], 255)] * (-len(clips) % columns)
    rows = [clips[i : i + columns] for i in range(0, len(clips), columns)]
    rows[-1] = rows[-1] + empty
    return np.concatenate([np.concatenate(row, axis=2) for row in rows], axis=1)
