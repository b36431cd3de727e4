"""One function per file format: uint8 frames [T, H, W, 3 or 4 premultiplied] at a frame rate -> a new file or
folder.

:func:`temporal_gan.video_io.write_frames` chooses among them and puts the result in place.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from PIL import Image

from .alpha import over_white, straighten
from .errors import StoreError


def write_folder(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    path.mkdir()
    for index, frame in enumerate(frames_u8):
        _picture(frame).save(path / f"{index:05d}.png")


def write_png(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    if len(frames_u8) != 1:
        raise StoreError(
            f"{path.name}: one .png holds one frame, not {len(frames_u8)}; use .apng, .mp4 or a folder"
        )
    _picture(frames_u8[0]).save(path)


def write_pictures(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    first, *others = [_picture(f) for f in frames_u8]
    name = "PNG" if path.suffix.lower() == ".apng" else "WEBP"
    first.save(path, name, save_all=True, append_images=others, duration=1000 / fps, loop=0, quality=90)


def _picture(frame: np.ndarray) -> Image.Image:
    return Image.fromarray(straighten(frame) if frame.shape[-1] == 4 else np.ascontiguousarray(frame))


def write_mkv(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    alpha = frames_u8.shape[-1] == 4
    # slicecrc: damage is noticed when it is read; g=1: every frame stands alone.
    options = {"level": "3", "slicecrc": "1", "g": "1"}
    pixels = straighten(frames_u8) if alpha else frames_u8
    _encode(path, "matroska", pixels, fps, "ffv1", "bgra" if alpha else "bgr0", options)


def write_mp4(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    pixels = over_white(frames_u8)
    _, height, width, _ = pixels.shape
    pixels = np.pad(pixels, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    # x264's macroblock tree reads memory it never wrote on small pictures (seen at 32x64 and 64x128): other bytes.
    options = {"crf": "16", "preset": "medium", "mbtree": "0"}
    _encode(path, "mp4", pixels, fps, "libx264", "yuv420p", options)


def write_webm(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    alpha = frames_u8.shape[-1] == 4
    pixels = straighten(frames_u8) if alpha else frames_u8
    options = {"crf": "18", "b": "0", "deadline": "good", "cpu-used": "4"}
    _encode(path, "webm", pixels, fps, "libvpx-vp9", "yuva420p" if alpha else "yuv420p", options)


def _encode(
    path: Path,
    container: str,
    pixels: np.ndarray,
    fps: float,
    codec: str,
    pixel_format: str,
    options: dict[str, str],
) -> None:
    """bitexact leaves out versions, dates and random ids; one thread, because slices depend on the count."""
    rate = Fraction(fps).limit_denominator(1001)
    header = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if container == "mp4" else {})
    with av.open(str(path), "w", format=container, options=header) as output:
        # Any: the declared type is a union with audio and subtitles.
        stream: Any = output.add_stream(codec, rate=rate, options={"flags": "+bitexact", **options})
        stream.height, stream.width = pixels.shape[1:3]
        stream.pix_fmt = pixel_format
        stream.codec_context.thread_count = 1
        colour: dict[str, Any] = {}
        if pixel_format.startswith("yuv"):
            # Untagged colour is read as BT.601 or BT.709 by size and player; say which.
            colour = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        if pixel_format == "yuva420p":
            stream.metadata["alpha_mode"] = "1"
        reformatter = VideoReformatter()
        for index, array in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(array), "rgba" if array.shape[-1] == 4 else "rgb24"
            )
            frame = reformatter.reformat(frame, format=pixel_format, threads=1, **colour)
            frame.pts, frame.time_base = index, 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def write_gif(path: Path, frames_u8: np.ndarray, fps: float) -> None:
    alpha = frames_u8.shape[-1] == 4
    pixels = straighten(frames_u8) if alpha else frames_u8
    _, height, width, _ = pixels.shape
    rate = Fraction(fps).limit_denominator(1001)
    name = "rgba" if alpha else "rgb24"
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat(name), time_base=1 / rate)
    split, palette, sink = (
        graph.add("split"),
        graph.add("palettegen", "stats_mode=full"),
        graph.add("buffersink"),
    )
    # One palette and an ordered pattern: error diffusion or a palette per frame would flicker on still parts.
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=4:alpha_threshold=128")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    with av.open(str(path), "w", format="gif", options={"loop": "0", "fflags": "+bitexact"}) as output:
        stream: Any = output.add_stream("gif", rate=rate, options={"flags": "+bitexact"})
        stream.height, stream.width, stream.pix_fmt = height, width, "pal8"
        stream.codec_context.time_base = Fraction(1, 100)
        for index, array in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), name)
            frame.pts, frame.time_base = index, 1 / rate
            source.push(frame)
        source.push(None)
        for _ in range(len(pixels)):
            output.mux(stream.encode(sink.pull()))
        output.mux(stream.encode(None))


ENCODERS = {
    ".mp4": write_mp4,
    ".webm": write_webm,
    ".gif": write_gif,
    ".mkv": write_mkv,
    ".apng": write_pictures,
    ".webp": write_pictures,
    ".png": write_png,
    "": write_folder,
}
"""Suffix -> function(path, frames_u8, fps)."""
