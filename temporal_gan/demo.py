"""The demo: puppet clips, a short training, generated clips, and a report, in one folder."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from .batch import composite_on_white
from .config import load_config
from .data.store import Store
from .evaluation.charts import line_chart
from .evaluation.nearest_frame import NearestTrainingFrame
from .evaluation.pairing import pair_run
from .evaluation.protocols import PROTOCOLS
from .evaluation.report import ReportSection, write_report
from .evaluation.results import Results
from .evaluation.run import evaluate
from .experiment import ExperimentConfig
from .inference.animator import Animator, load_animator
from .puppet import random_specs
from .puppet.dataset import write_puppet_store
from .run_log import read_stats
from .training.precision import fast_on_this_cpu
from .training.run import train
from .video_io import write_frames

CLIP_SIZE = 256
CLIP_FRAMES = 48
CHARACTERS, MOTIONS = ("hana", "miko"), ("idle", "walk", "wave", "jump")
EXPRESSIONS = ("neutral", "happy", "sad", "angry")
GENERATED = (("wave", "happy"), ("walk", "sad"))

FACES = ("losses.l1_foreground_weight=2", "losses.l1_face_weight=5", "losses.expression_weight=0.05")
"""What the recipe leaves out because not every store has faces and labels."""


@dataclass(frozen=True)
class DemoSize:
    """How much the demo does; ``minutes`` caps the training on a slow machine."""

    clips: int
    steps: int
    minutes: float


FULL = DemoSize(clips=32, steps=900, minutes=5.5)
FAST = DemoSize(clips=16, steps=120, minutes=1.0)


def run_demo(out: Path, fast: bool, quiet: bool) -> None:
    """Run or go on with the demo.

    Args:
        out: gets ``store``, ``run``, ``clips``, ``results.json`` and ``report.html``; with ``fast`` the first two
            carry ``_fast`` in their names.
        fast: about a tenth of the training.
        quiet: print nothing.
    Raises:
        UserError: the folder is not writable, or holds another version's data.
        KeyboardInterrupt: Ctrl-C; finished pieces and the training so far are kept.
    """
    console = Console(quiet=quiet)
    size, suffix = (FAST, "_fast") if fast else (FULL, "")
    store = _store(out / f"store{suffix}", size, quiet)
    overrides = [f"train.steps={size.steps}", "data.flow=exact", "train.save_every_steps=100", *FACES]
    overrides += ["train.precision=bfloat16"] if fast_on_this_cpu() else []
    config = load_config("tiny", overrides, ExperimentConfig)
    run = out / f"run{suffix}"
    outcome = train(config, store.path, run, size.minutes, quiet)
    if outcome.interrupted:
        raise KeyboardInterrupt
    animator = load_animator(run)
    sections = [_generated_clips(animator, out / "clips", console), _training_curve(run)]
    console.print("evaluating on the test split")
    results = evaluate(pair_run(animator, store), PROTOCOLS["clips_v1"], None, NearestTrainingFrame(store))
    results.write(out / "results.json")
    command = f"temporal-gan demo --out {out}{' --fast' if fast else ''}"
    write_report(results, out / "report.html", "A first character, moving", command, sections)
    _summary(results, out, console)


def _store(path: Path, size: DemoSize, quiet: bool) -> Store:
    if path.exists():
        return Store.open(path)
    # Rendered beside its place, so that a store under that name is always whole.
    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    specs = random_specs(size.clips, 0, CHARACTERS, MOTIONS, EXPRESSIONS, frames=24, size=64)
    write_puppet_store(partial, specs, seed=0, quiet=quiet)
    os.replace(partial, path)
    return Store.open(path)


def _generated_clips(animator: Animator, folder: Path, console: Console) -> ReportSection:
    shown = []
    for character in CHARACTERS:
        for motion, expression in GENERATED:
            clip = animator.generate(f"motion:{motion}", expression, character, CLIP_FRAMES, CLIP_SIZE)
            file = folder / f"{character}_{motion}_{expression}.mp4"
            folder.mkdir(parents=True, exist_ok=True)
            page = composite_on_white(clip)
            write_frames(file, (page * 255).round().byte().permute(0, 2, 3, 1).numpy(), animator.fps)
            console.print(f"made {file}")
            shown.append((f"{character}: {motion}, {expression}", page))
    text = "Made by the network from a pose sequence and an expression it was not trained on."
    return ReportSection("Generated clips", text, shown, animator.fps)


def _training_curve(run: Path) -> ReportSection:
    previews = [s for s in read_stats(run / "stats.jsonl") if "preview/foreground_psnr" in s]
    steps = [s["step"] for s in previews]
    chart = line_chart(
        [("validation", [s["preview/foreground_psnr"] for s in previews])], "step", "dB", steps
    )
    return ReportSection("Training", f"<p>Foreground PSNR of the validation clips.</p>{chart}")


def _summary(results: Results, out: Path, console: Console) -> None:
    made = results.metric("foreground_psnr")["value"]
    anchors = results.anchor_values()
    frozen, nearest = (anchors[a]["foreground_psnr"] for a in ("copy_first_frame", "nearest_training_frame"))
    console.print(
        f"foreground PSNR on unseen clips: made {made:.1f} dB, first frame copied {frozen:.1f} dB, "
        f"nearest training frame {nearest:.1f} dB"
    )
    console.print(f"open {(out / 'report.html').resolve().as_uri()}")
