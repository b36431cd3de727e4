"""Where a source's shots begin and end: one pass over its frames, small and grey."""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from pydantic import Field

from temporal_gan.config import Section
from temporal_gan.errors import UserError

from .clip import Source
from .cuts import Cut
from .dedupe import DedupeConfig, frame_hash, hash_distance, shot_fingerprint
from .ingest import IngestConfig
from .media import Media, open_media
from .shot import Shot
from .sign_of_life import still_at_work

_SIDE = 128
"""Pixels of the grey square that cuts and fingerprints are read from."""
_TICK = Fraction(1, 1000)
_LEAST_FPS, _MOST_FPS = 6.0, 30.0
_AROUND_SEC = 0.5


class ShotsConfig(Section):
    """How a source is divided.

    Attributes:
        threshold: of FFmpeg's scdet score, 0 to 100: from here on a change is a cut whatever is around it. On drawings
            motion scores up to 6.5. Fades are not found: add them to the list of cuts.
        faint, stands_out, unlike: a change of at least ``faint`` times the threshold is a cut too if it is
            ``stands_out`` times the largest within half a second on either side, and the share ``unlike`` of the
            picture's fingerprint bits changes with it. Two shots of the same character and palette may score as little
            as 4.7: of 40 such cuts the threshold alone found 26, this rule all, with no false one there and in eight
            real clips; of 48 others, harder compressed or with moving cameras, 45, with one false.
        min_seconds: shots between cuts that are shorter are left out: flashes, and too little to learn motion from. A
            source without cuts stays however short it is.
        max_seconds: longer shots are divided evenly; bounds the memory that one clip takes in every stage.
    """

    threshold: float = Field(default=10.0, gt=0, le=100)
    faint: float = Field(default=0.4, gt=0, le=1)
    stands_out: float = Field(default=1.3, ge=1)
    unlike: float = Field(default=0.22, ge=0, le=1)
    min_seconds: float = Field(default=0.25, ge=0)
    max_seconds: float = Field(default=8.0, ge=0.5, le=60)


def scan(
    source: Source, ingest: IngestConfig, shots: ShotsConfig, dedupe: DedupeConfig, cuts: list[Cut] | None
) -> list[Shot]:
    """Divide a source into shots.

    Args:
        source: read once, a frame at a time.
        ingest: size, rate and limits.
        shots, dedupe: how to cut, and what makes a fingerprint.
        cuts: of this source, as :func:`preprocessing.cuts.read_cuts` gives them; they win over detection. None: detect.
            A change of the picture's size begins a shot either way.
    Returns:
        at least one, in order, without gaps; those not to be used say why in ``left_out``.
    Raises:
        StoreError: the source is damaged or beyond a limit; see :mod:`preprocessing.media`.
        UserError: a cut beyond the end of the source; its file and line are named.
    """
    media = open_media(source.file, ingest.limits)
    try:
        seen = _watch(media)
    finally:
        media.close()
    timing = _timing(seen, media)
    fps = ingest.fps or _clip_rate(timing.rate)
    if cuts is None:
        marks = _found(seen, timing.rate, shots)
    else:
        marks = _chosen(cuts, timing)
    begins = sorted({0, *marks, *(number for number, _ in seen.sizes)})
    found: list[Shot] = []
    for first, end in zip(begins, [*begins[1:], len(seen.scores)], strict=True):
        seconds = timing.at(end) - timing.at(first)
        short = seconds < shots.min_seconds and len(begins) > 1
        reason = f"{seconds:.2f} s is shorter than min_seconds {shots.min_seconds:g}" if short else ""
        for begin, stop in _parts(first, end, timing, shots.max_seconds):
            last = min(timing.at(stop), timing.at(begin) + shots.max_seconds + 1 / fps)
            whole = seen.size_at(begin)
            width, height = _fitted(*whole, ingest.longest_side)
            shot = Shot(
                first_frame=begin,
                end_frame=stop,
                first_pts=seen.pts[begin] if timing.stamped else None,
                start=timing.at(begin),
                end=last,
                fps=fps,
                width=width,
                height=height,
                source_width=whole[0],
                source_height=whole[1],
                has_alpha=seen.transparent,
                fingerprint=_fingerprint(seen, timing, begin, stop, dedupe),
                score=round(marks[begin], 3) if begin in marks else None,
                near_cuts=tuple(
                    (timing.at(n), round(seen.scores[n], 3))
                    for n in range(begin, stop)
                    if n not in marks and seen.scores[n] >= shots.faint * shots.threshold
                ),
                left_out=reason,
            )
            found.append(shot)
    return found


@dataclass
class _Seen:
    """What one pass over a source tells, a few dozen bytes per frame."""

    pts: list[int | None] = field(default_factory=list)
    scores: array = field(default_factory=lambda: array("f"))
    hashes: list[bytes] = field(default_factory=list)
    sizes: list[tuple[int, tuple[int, int]]] = field(default_factory=list)
    last_duration: int = 0
    transparent: bool = False

    def size_at(self, number: int) -> tuple[int, int]:
        """Width and height of a frame."""
        return [size for first, size in self.sizes if first <= number][-1]


@dataclass(frozen=True)
class _Timing:
    """When each frame is shown: float64 [N + 1] seconds, the last entry when the last frame stops being shown."""

    seconds: np.ndarray
    rate: float
    stamped: bool

    def at(self, number: int) -> float:
        """Seconds within the source."""
        return float(self.seconds[number])


def _watch(media: Media) -> _Seen:
    seen, detector = _Seen(), _CutDetector()
    for frame in media.frames():
        grey = frame.grey(_SIDE)
        seen.pts.append(frame.pts)
        still_at_work()
        seen.scores.append(detector.score(grey))
        seen.hashes.append(frame_hash(grey))
        seen.last_duration = frame.duration
        if not seen.sizes or seen.sizes[-1][1] != (frame.width, frame.height):
            seen.sizes.append((frame.number, (frame.width, frame.height)))
        seen.transparent = seen.transparent or not frame.opaque
    return seen


class _CutDetector:
    """FFmpeg's scdet filter: the smaller of the mean absolute difference to the frame before and the change of that
    difference, in percent of the range; even motion and a held drawing's end both stay low."""

    def __init__(self) -> None:
        self._graph = av.filter.Graph()
        source = self._graph.add_buffer(
            width=_SIDE, height=_SIDE, format=av.VideoFormat("gray", _SIDE, _SIDE), time_base=_TICK
        )
        detector, sink = self._graph.add("scdet", "threshold=100"), self._graph.add("buffersink")
        source.link_to(detector)
        detector.link_to(sink)
        self._graph.configure()
        self._count = 0

    def score(self, grey: np.ndarray) -> float:
        """Of the change from the frame before to this one, uint8 [128, 128]."""
        frame = av.VideoFrame.from_ndarray(grey, format="gray")
        frame.pts, frame.time_base = self._count, _TICK
        self._count += 1
        self._graph.push(frame)
        return float(self._graph.pull().metadata["lavfi.scd.score"])


def _timing(seen: _Seen, media: Media) -> _Timing:
    """Time stamps where all are there and grow, else an even rate."""
    count = len(seen.pts)
    stamps = [pts for pts in seen.pts if pts is not None]
    seconds = (np.array(stamps, np.float64) - (stamps[0] if stamps else 0)) * media.time_base
    stamped = len(stamps) == count and bool((np.diff(seconds) > 0).all())
    if not stamped:
        return _Timing(np.arange(count + 1) / media.rate, media.rate, False)
    rate = _own_rate(seconds, media.rate)
    last = seen.last_duration * media.time_base or 1 / rate
    return _Timing(np.append(seconds, seconds[-1] + last), rate, True)


def _own_rate(seconds: np.ndarray, noted: float) -> float:
    """Frames per second: the mean where the timing is even, else that of the usual frame, lest a pause in a GIF makes
    the whole of it slow."""
    count = len(seconds)
    if count < 2:
        return noted
    mean = (count - 1) / float(seconds[-1])
    if np.abs(seconds * mean - np.arange(count)).max() > 0.5:
        return 1 / float(np.sort(np.diff(seconds))[(count - 2) // 2])
    # Files that count in whole milliseconds give a mean that is a little off.
    return noted if abs(noted / mean - 1) < 0.002 else mean


def _clip_rate(rate: float) -> float:
    while rate > _MOST_FPS * 1.001:
        rate /= 2
    while rate < _LEAST_FPS:
        rate *= 2
    return rate


def _found(seen: _Seen, rate: float, config: ShotsConfig) -> dict[int, float]:
    """Frame -> score of the cuts that show."""
    scores, reach = np.array(seen.scores), max(1, round(_AROUND_SEC * rate))
    marks: dict[int, float] = {}
    for number in np.flatnonzero(scores >= config.faint * config.threshold).tolist():
        around = np.concatenate(
            [scores[max(0, number - reach) : number], scores[number + 1 : number + 1 + reach]]
        )
        alone = scores[number] >= config.stands_out * around.max(initial=0)
        unlike = hash_distance(seen.hashes[number - 1], seen.hashes[number]) >= config.unlike
        if number and (scores[number] >= config.threshold or (alone and unlike)):
            marks[number] = float(scores[number])
    return marks


def _chosen(cuts: list[Cut], timing: _Timing) -> dict[int, float]:
    """Frame -> score of the cuts that a person kept."""
    starts = timing.seconds[:-1]
    marks: dict[int, float] = {}
    for cut in cuts:
        if cut.second > timing.seconds[-1]:
            end = timing.seconds[-1]
            raise UserError(
                f"{cut.where or 'cut'}: second {cut.second:g} is beyond the source's end, {end:.3f} s"
            )
        number = int(np.abs(starts - cut.second).argmin())
        if cut.keep and number:
            marks[number] = cut.score
    return marks


def _parts(first: int, end: int, timing: _Timing, longest: float) -> list[tuple[int, int]]:
    """Frames [first, end) in as few parts of about the same length as stay within ``longest`` seconds."""
    start, stop = timing.at(first), timing.at(end)
    count = int(np.ceil((stop - start) / longest - 1e-6))
    wanted = start + (stop - start) * np.arange(1, count) / max(count, 1)
    inner = np.searchsorted(timing.seconds[:-1], wanted - 1e-6)
    bounds = sorted({first, end, *(int(n) for n in inner if first < n < end)})
    return list(zip(bounds, bounds[1:], strict=False))


def _fingerprint(seen: _Seen, timing: _Timing, first: int, end: int, config: DedupeConfig) -> str:
    start, seconds = timing.at(first), timing.at(end) - timing.at(first)
    looks = start + seconds * (np.arange(config.moments) + 0.5) / config.moments
    shown = np.searchsorted(timing.seconds[first:end], looks + 1e-6, side="right") - 1 + first
    return shot_fingerprint(seconds, [seen.hashes[int(number)] for number in shown])


def _fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
