"""How fast is preprocessing on one core, what does a second worker gain, and does memory stay flat?

    python benchmarks/preprocessing_speed.py --out DIR [--parts stages,workers,memory,duplicates]

Puppets in H.264 at 640 x 360, 24 frames a second, on ones and on twos, before scenery and on a plain page (which is
cut away), run with the default settings: 256 px, DIS medium.

``stages``: processor time of each stage on one thread, the median of several rounds; the poses that cropping follows
are the reader's. The time of pose backends is by the clock and apart.
``workers``: the clock of ``temporal-gan-preprocess run`` with one worker and with two, in turns. Beside it what the
processor time of each process allows on two free cores, and what two processes gain over one that do nothing but
count, or measure flow: where two processors are threads of one core, or others are at work, no program can do better.
``memory``: the largest resident set of every process of a run over one long video, in each fifth of the run.
``duplicates``: processor time of looking for duplicates among many shots of equal length.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from movies import FPS, HEIGHT, KINDS, WIDTH, join_shots, shuffled, write_shots
from process_watch import watch
from record import own_command, record

from preprocessing.clip import Clip, Source
from preprocessing.clip_task import Tools, clip_arrays
from preprocessing.config import PreprocessConfig, load_preprocess_config
from preprocessing.crop import crop_clip
from preprocessing.dedupe import find_duplicates, frame_hash
from preprocessing.expression import read_expression
from preprocessing.face.finding import find_face
from preprocessing.flow import measure_flow
from preprocessing.holds import mark_holds
from preprocessing.ingest import ShotReader
from preprocessing.pose.finding import find_pose
from preprocessing.shot import Shot
from preprocessing.shots import scan
from preprocessing.smooth import smooth_pose
from preprocessing.work_folder import save_labels
from temporal_gan.alpha import over_white
from temporal_gan.data.store_writer import write_clip_files
from temporal_gan.puppet import random_specs, render_clip

AIMED_AT = ("scan", "read", "holds", "crop", "flow")
"""Decoding, shots, holds, crop and flow."""
LOOPS = {
    "counting": "for _ in range(30_000_000): pass",
    "flow": "for _ in range(250): dis.calc(a, b, None)",
}
BUSY = """
import time, cv2, numpy as np
cv2.setNumThreads(1)
draw = np.random.default_rng(0)
a, b = (cv2.GaussianBlur(draw.integers(0, 256, (256, 256), np.uint8), (0, 0), 4) for _ in range(2))
dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
began = time.perf_counter()
{loop}
print(time.perf_counter() - began)
"""


class Stages:
    """The clips of one movie, on their way through the stages, each of which is timed."""

    def __init__(self, movie: Path, config: PreprocessConfig) -> None:
        self._config, self._reader = config, ShotReader(config.ingest)
        self._source = Source(movie, movie.name, "", "puppet")
        self._shots = self._scan()
        self.clips = self._read()
        self.frames = sum(len(clip.hold) for clip in self.clips)

    def _scan(self) -> list[Shot]:
        config = self._config
        return scan(self._source, config.ingest, config.shots, config.dedupe, None)

    def _read(self) -> list[Clip]:
        return [self._reader.read(self._source, shot) for shot in self._shots]

    def _write(self) -> None:
        with tempfile.TemporaryDirectory() as room:
            for clip in self.clips:
                folder = Path(room) / clip.id
                folder.mkdir()
                write_clip_files(folder, "clip", clip.frames_u8, clip.fps, clip_arrays(clip))
                save_labels(folder, clip)

    def poses(self, backend: str) -> dict[str, float]:
        """Look for pose, face and expression: milliseconds per frame by the clock, for a backend may be a process."""
        config = load_preprocess_config(None, [f"pose.backend={backend}"])
        tools = Tools(config)
        assert tools.pose is not None
        self._each(lambda clip: mark_holds(clip, config.holds))
        # The first look loads the models.
        find_face(find_pose(self.clips[0], tools.pose, config.pose), tools.face, config.face)
        stages: dict[str, Callable[[Clip], Clip]] = {
            "pose": lambda clip: find_pose(clip, tools.pose, config.pose),
            "face": lambda clip: find_face(clip, tools.face, config.face),
            "expression": lambda clip: read_expression(clip, tools.expression, config.expression),
            "smooth": lambda clip: smooth_pose(clip, config.smooth),
        }
        return {
            f"{backend}: {name}": self._timed(partial(self._each, stage), time.perf_counter)
            for name, stage in stages.items()
        }

    def others(self) -> dict[str, float]:
        """All other stages, with the poses found before: milliseconds per frame of processor time."""
        config, found = self._config, self.clips
        taken = {"scan": self._timed(self._scan)}
        self.clips = []
        taken["read"] = self._timed(lambda: self.clips.extend(self._read()))
        taken["holds"] = self._timed(lambda: self._each(lambda clip: mark_holds(clip, config.holds)))
        self.clips = [
            replace(clip, pose=old.pose, face=old.face, expression=old.expression)
            for clip, old in zip(self.clips, found, strict=True)
        ]
        labelled = list(self.clips)
        taken["crop"] = self._timed(lambda: self._each(lambda clip: crop_clip(clip, config.crop)))
        taken["flow"] = self._timed(lambda: self._each(lambda clip: measure_flow(clip, config.flow, None)))
        taken["encode and write"] = self._timed(self._write)
        self.keyed = statistics.mean(dict(clip.facts)["keyed"] for clip in self.clips)
        self.clips = labelled
        return taken

    def _each(self, stage: Callable[[Clip], Clip]) -> None:
        self.clips = [stage(clip) for clip in self.clips]

    def _timed(self, do: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
        began = clock()
        do()
        return 1000 * (clock() - began) / self.frames


def stage_times(movie: Path, backends: list[str], rounds: int) -> dict[str, object]:
    """Milliseconds per frame of every stage, and frames a second and core of those aimed at."""
    stages = Stages(movie, PreprocessConfig())
    apart: dict[str, float] = {}
    # The first backend last: its poses are what the crops follow.
    for backend in reversed(backends):
        apart |= stages.poses(backend)
    taken = [stages.others() for _ in range(rounds)]
    median = {name: statistics.median(each[name] for each in taken) for name in taken[0]}
    return {
        "frames": stages.frames,
        "drawings": sum(len(clip.drawings) for clip in stages.clips),
        "keyed": stages.keyed,
        "ms_per_frame": median,
        "frames_per_sec_and_core": 1000 / sum(median[name] for name in AIMED_AT),
        "frames_per_sec_and_core_with_writing": 1000 / sum(median.values()),
        "clock_ms_per_frame_apart": apart,
    }


def run_command(inputs: Path, out: Path, workers: int) -> list[str]:
    """The command without models, with every shot kept: the same ones come again and again."""
    decisions = out.parent / f"{out.name}.csv"
    lines = "".join(f",{file.name},keep\n" for file in sorted(inputs.iterdir()))
    decisions.write_text("clip,source,decision\n" + lines)
    program = [sys.executable, "-c", "from preprocessing.cli import main; main()", "run", str(inputs)]
    options = ["--pose-backend", "none", "--set", "expression.method=none", "--decisions", str(decisions)]
    return [*program, "--out", str(out), "--workers", str(workers), *options, "--quiet"]


def busy_seconds(loop: str, processes: int) -> float:
    """The clock of so many processes that do the same at once, the slowest one's."""
    program = [sys.executable, "-c", BUSY.format(loop=loop)]
    running = [subprocess.Popen(program, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    return max(float(process.communicate()[0]) for process in running)


def possible_gain(processes: list[dict]) -> float:
    """What halving the time of the lanes gains, were all processor time that is not theirs spent before or after."""
    lanes = sum(process["processor_sec"] for process in processes if process["name"] == "lane")
    others = sum(process["processor_sec"] for process in processes if process["name"] != "lane")
    return (others + lanes) / (others + lanes / 2)


def worker_gain(inputs: Path, room: Path, rounds: int) -> dict[str, object]:
    """Medians of runs with one and with two workers in turns, and what two processes can gain at all."""
    runs: dict[int, list[float]] = {1: [], 2: []}
    bounds: list[float] = []
    loops: dict[str, list[float]] = {name: [] for name in LOOPS}
    for _ in range(rounds):
        for workers, seconds in runs.items():
            with tempfile.TemporaryDirectory(dir=room) as place:
                # Each look takes the processor for a tenth of a second.
                seen = watch(run_command(inputs, Path(place) / "store", workers), every_sec=4)
            seconds.append(float(str(seen["seconds"])))
            if workers == 1:
                bounds.append(possible_gain(seen["processes"]))
        for name, loop in LOOPS.items():
            loops[name].append(2 * busy_seconds(loop, 1) / busy_seconds(loop, 2))
    gain = [one / two for one, two in zip(runs[1], runs[2], strict=True)]
    return {
        "seconds_with_1": runs[1],
        "seconds_with_2": runs[2],
        "gain": statistics.median(gain),
        "gain_on_two_free_cores": statistics.median(bounds),
        "gain_of_loops": {name: statistics.median(values) for name, values in loops.items()},
    }


def duplicate_times(count: int) -> dict[str, object]:
    """Among shots of eight seconds each. Every row of their hashes is that of some puppet, so they are as alike as
    drawn pictures are; a tenth are copies with 4 % of the bits changed."""
    draw = np.random.default_rng(0)
    pictures = [over_white(render_clip(spec).video[0]) for spec in random_specs(150, 0, frames=1, size=128)]
    hashes = [frame_hash(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in pictures]
    rows = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), 16, 2)
    bits = rows[draw.integers(len(rows), size=(count, 8, 16)), np.arange(16)].reshape(count, 8, 32)
    copies = count // 10
    noise = np.packbits(draw.random((copies, 8, 256)) < 0.04, axis=-1)
    bits[-copies:] = bits[draw.integers(count - copies, size=copies)] ^ noise
    shots = [(f"{i:07d}", f"source {i:07d}", f"8.000:{own.tobytes().hex()}") for i, own in enumerate(bits)]
    began = time.process_time()
    found = find_duplicates(shots).copies
    return {"shots": count, "copies": copies, "found": len(found), "seconds": time.process_time() - began}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", default="stages,workers,memory,duplicates")
    parser.add_argument("--shots", type=int, default=4, help="of each kind")
    parser.add_argument("--frames", type=int, default=48, help="of each shot")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", default="reader", help="of pose; the first one's poses are followed")
    parser.add_argument("--files", type=int, default=4, help="of the runs with one and two workers")
    parser.add_argument("--file-seconds", type=float, default=24)
    parser.add_argument("--long-minutes", type=float, default=30)
    parser.add_argument("--long-workers", type=int, default=2)
    parser.add_argument("--long-settings", nargs="*", default=[], help="such as flow.preset=ultrafast")
    parser.add_argument("--duplicates", type=int, default=100_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    kinds = {kind: write_shots(options.out / "shots", kind, options.shots, options.frames) for kind in KINDS}
    shots = [shot for files in kinds.values() for shot in files]
    movies = {
        kind: join_shots(options.out / "kinds" / f"{kind}.mp4", files, options.frames)
        for kind, files in kinds.items()
    }
    results: dict[str, object] = {"pixels": [WIDTH, HEIGHT], "fps": FPS}

    def tell(part: str, found: object) -> None:
        results[part] = found
        print(part, json.dumps(found, indent=1), flush=True)

    for part in options.parts.split(","):
        if part == "stages":
            backends = options.backends.split(",") if options.backends else []
            tell(part, {kind: stage_times(file, backends, options.rounds) for kind, file in movies.items()})
        elif part == "duplicates":
            tell(part, duplicate_times(options.duplicates))
        elif part == "workers":
            for number in range(options.files):
                order = shuffled(shots, options.file_seconds, options.frames, number)
                join_shots(options.out / "short" / f"{number}.mp4", order, options.frames)
            tell(part, worker_gain(options.out / "short", options.out, options.rounds))
        elif part == "memory":
            order = shuffled(shots, 60 * options.long_minutes, options.frames, 0)
            join_shots(options.out / "long" / "movie.mp4", order, options.frames)
            with tempfile.TemporaryDirectory(dir=options.out) as place:
                command = run_command(options.out / "long", Path(place) / "store", options.long_workers)
                command += [word for setting in options.long_settings for word in ("--set", setting)]
                tell(part, {"minutes": options.long_minutes} | watch(command))
    print("written to", record("preprocessing_speed", own_command(), results))


if __name__ == "__main__":
    main()
