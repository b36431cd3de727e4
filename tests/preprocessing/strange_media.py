"""Small videos whose every frame tells its number, and files that are wrong on purpose."""

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from preprocessing.clip import Source

WIDTH, HEIGHT, BITS = 96, 64, 8


def numbered(count: int, scene: int = 0) -> np.ndarray:
    """uint8 [count, 64, 96, 3]: frame i shows i as eight black or white bars over a texture of the scene."""
    texture = np.random.default_rng(scene).integers(40, 216, (4, 6, 3), np.uint8)
    video = np.repeat(np.kron(texture, np.ones((16, 16, 1), np.uint8))[None], count, 0)
    for frame in range(count):
        for bit in range(BITS):
            video[frame, :16, bit * 12 : bit * 12 + 12] = 255 * (frame >> bit & 1)
    return video


def number_of(picture: np.ndarray) -> int:
    """What a frame of :func:`numbered` says, at any size."""
    height, width = picture.shape[:2]
    row = picture[height // 8, [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]].mean(-1)
    return int(((row > 128) << np.arange(BITS)).sum())


def encode(
    path: Path,
    video: np.ndarray,
    codec: str = "libx264",
    pts: list[int] | None = None,
    rate: Fraction = Fraction(24),
    last: int = 1,
    **options: str,
) -> Path:
    """Encode; ``pts``, and how long the last frame is shown, in units of 1 / ``rate``."""
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = video.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = 1 / rate
        packets: list[Any] = []
        for index, picture in enumerate(video):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p", threads=1)
            frame.pts, frame.time_base = index if pts is None else pts[index], 1 / rate
            packets += stream.encode(frame)
        for packet in packets + stream.encode(None):
            if packet.pts == frame.pts:
                packet.duration = last
            output.mux(packet)
    return path


def source(file: Path) -> Source:
    """A source of a file, its hash made up from its name."""
    return Source(file, file.name, f"{zlib.crc32(file.name.encode()):08x}" * 8, "somebody")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size, with nothing in it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return start + struct.pack(">I", 100) + b"IDAT"
