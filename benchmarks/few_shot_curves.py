"""How good does few-shot training get, minute by minute, and what do the shipped weights and the references bring?

    python benchmarks/few_shot_curves.py --drawings DIR --hold-out A,B,C --out DIR2 [--recipe drawings256]
        [--start base --store STORE] [--minutes 15] [--every 1]

Trains each arm on the drawings that are not held out, stops every few minutes, and scores the held-out ones at their
own size; scoring and saving take none of the arms' time. The bare limb warp of the nearest drawing, plain and by depth
layers, is the floor. Prints the curves as tables and draws them into DIR2/curves.png; the pictures themselves are in
DIR2/held_out. The same command goes on where it was stopped. With --start an arm begins with those weights; they may
need drawings with alpha, which the store of `temporal-gan fewshot` has.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from record import own_command, record
from scoreboard import table
from torch import Tensor

from preprocessing.importers.charactergan import import_charactergan
from temporal_gan.batch import composite_on_white
from temporal_gan.config import load_config
from temporal_gan.data.store import Store
from temporal_gan.drawings import read_charactergan
from temporal_gan.errors import UserError
from temporal_gan.evaluation.clip_pairs import frames_to_tensor
from temporal_gan.evaluation.held_out_drawings import nearest_warp, picture_scores
from temporal_gan.evaluation.keypoint_transfer import to_frames_u8
from temporal_gan.evaluation.pairing import pair_run
from temporal_gan.evaluation.results import write_atomically
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.inference.animator import load_animator
from temporal_gan.keying import cut_out
from temporal_gan.metrics import paired
from temporal_gan.training.run import train
from temporal_gan.video_io import write_frames

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Arm:
    """What an arm changes in the recipe, and whether it begins with the weights of --start."""

    changes: tuple[str, ...] = ()
    started: bool = False


ARMS = {
    "from given weights": Arm(started=True),
    "from scratch": Arm(),
    "without references": Arm(("model.references=0", "model.identity=embedding")),
}
FLOORS = {"bare warp": False, "layered bare warp": True}
COLUMNS = {
    "psnr": ("PSNR, dB", 2),
    "foreground_psnr": ("foreground PSNR, dB", 2),
    "figure_psnr": ("PSNR inside the real silhouette, dB", 2),
    "ssim": ("SSIM", 3),
    "sharpness_ratio": ("sharpness, made / real", 2),
}
"""Title and digits. The foreground is the union of both silhouettes: the whole page, where an arm's page is not plain
yet. The real silhouette is the same for all."""

Values = dict[str, float]
Pictures = dict[str, Tensor]
"""Clip of a held-out drawing -> picture [1, 3, H, W] in [0, 1], on white, at its own size."""


def real_pictures(drawings: Path, store: Store) -> Pictures:
    """The held-out drawings as they were drawn, whatever the store made of them."""
    found = read_charactergan(drawings)
    pixels = {file.name: picture for file, picture in zip(found.files, found.pixels, strict=True)}
    rows = store.split("test")
    missing = [row.source for row in rows if row.source not in pixels]
    if missing or not rows:
        raise UserError(f"{store.path}: its held-out drawings {missing} are not in {drawings}")
    return {row.id: composite_on_white(frames_to_tensor(pixels[row.source][None])) for row in rows}


def fitted(made: Tensor, real: Tensor) -> Tensor:
    """[1, 3 or 4, h, w] without the padding that a store may have around its drawings, on the drawing's own page."""
    height, width = real.shape[-2:]
    top, left = (made.shape[-2] - height) // 2, (made.shape[-1] - width) // 2
    made = made[..., top : top + height, left : left + width]
    if made.shape[1] == 3:
        return made
    return frames_to_tensor(cut_out(to_frames_u8(real)[0]).laid_back(to_frames_u8(made)[0])[None])


def made_pictures(run: Path, store: Store, real: Pictures) -> Pictures:
    """What a run makes of the held-out poses."""
    return {
        pair.clip_id: fitted(pair.made, real[pair.clip_id]) for pair in pair_run(load_animator(run), store)
    }


def warped_pictures(store: Store, real: Pictures) -> dict[str, Pictures]:
    """The floors."""
    warps = {name: nearest_warp(store, layered) for name, layered in FLOORS.items()}
    return {
        name: {clip: fitted(warp(store.row(clip)), picture) for clip, picture in real.items()}
        for name, warp in warps.items()
    }


def mean_scores(made: Pictures, real: Pictures) -> Values:
    """Means over the drawings."""
    found = []
    for clip, truth in real.items():
        figure = paired.foreground_mask(truth[None])
        inside = paired.foreground_psnr(made[clip][None], truth[None], figure)
        found.append(picture_scores(made[clip], truth) | {"figure_psnr": float(inside)})
    return {name: float(np.mean([values[name] for values in found])) for name in COLUMNS}


@dataclass(frozen=True)
class Schedule:
    """How long the arms train, and how often they are scored, in minutes."""

    minutes: float
    every: float

    def stops(self) -> list[float]:
        """Minutes after which an arm is scored."""
        count = round(self.minutes / self.every)
        if count < 1:
            raise UserError(f"--every {self.every:g}: is longer than --minutes {self.minutes:g}")
        return [self.every * (i + 1) for i in range(count)]


def train_arm(
    changes: list[str],
    recipe: str,
    start: str | None,
    store: Store,
    real: Pictures,
    run: Path,
    schedule: Schedule,
) -> list[Values]:
    """Train slice by slice and score after each; returns a row each stop, with ``minutes`` and ``steps`` in it."""
    kept = run / "curve.json"
    curve: list[Values] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else []
    # The clock ends each slice, which saves; nothing else may take the arm's time.
    endless = [f"train.{key}=1000000" for key in ("steps", "save_every_steps", "preview_every_steps")]
    config = load_config(recipe, [*endless, *changes], ExperimentConfig)
    for minutes in schedule.stops()[len(curve) :]:
        outcome = train(config, store.path, run, schedule.every, quiet=True, start=start)
        if outcome.interrupted:
            raise KeyboardInterrupt
        values = mean_scores(made_pictures(run, store, real), real)
        curve.append({"minutes": minutes, "steps": outcome.step, **values})
        write_atomically(kept, json.dumps(curve))
        print(f"{run.name}: {minutes:g} minutes, {outcome.step} steps", file=sys.stderr, flush=True)
    return curve


def curve_table(curve: list[Values]) -> str:
    """A row each stop."""
    rows = [["minutes", "steps", *(title for title, _ in COLUMNS.values())]]
    for values in curve:
        shown = [f"{values[name]:.{digits}f}" for name, (_, digits) in COLUMNS.items()]
        rows.append([f"{values['minutes']:g}", f"{values['steps']:g}", *shown])
    return table(rows)


def summary_table(ends: dict[str, Values], floors: dict[str, Values]) -> str:
    """Where each arm ended, the floors, and how far above the plain bare warp each lies."""
    floor = floors["bare warp"]
    rows = [["", *(title for title, _ in COLUMNS.values()), "above the bare warp: PSNR, dB", "SSIM"]]
    for name, values in (ends | floors).items():
        shown = [f"{values[column]:.{digits}f}" for column, (_, digits) in COLUMNS.items()]
        above = [f"{values['psnr'] - floor['psnr']:+.2f}", f"{values['ssim'] - floor['ssim']:+.3f}"]
        rows.append([name, *shown, *above])
    return table(rows)


def draw_curves(curves: dict[str, list[Values]], floors: dict[str, Values], file: Path) -> None:
    """A panel a measure: lines for the arms, dashes for the floors."""
    mpl.use("Agg")
    figure, panels = plt.subplots(1, len(COLUMNS), figsize=(4 * len(COLUMNS), 3.6), layout="constrained")
    for panel, (name, (title, _)) in zip(panels, COLUMNS.items(), strict=True):
        for arm, curve in curves.items():
            panel.plot([v["minutes"] for v in curve], [v[name] for v in curve], marker=".", label=arm)
        for style, (floor, values) in zip(("--", ":"), floors.items(), strict=True):
            panel.axhline(values[name], color="grey", linestyle=style, label=floor)
        panel.set(title=title, xlabel="minutes of training")
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize="small")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drawings", type=Path, required=True, help="a folder of labelled drawings")
    parser.add_argument("--hold-out", type=lambda text: text.split(","), default=[], help="file names")
    parser.add_argument(
        "--store", type=Path, help="of these drawings; default: they are imported, as --hold-out says"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="outside the repository: artwork is not ours to give"
    )
    parser.add_argument("--recipe", default="drawings256", help="name or file")
    parser.add_argument("--start", help="an animator's name or file; without it that arm is left out")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training, each arm")
    parser.add_argument("--every", type=float, default=1.0, help="minutes between two scorings")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS), help="default: all")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="changes the recipe of every arm"
    )
    options = parser.parse_args()
    out = options.out.resolve()
    if out.is_relative_to(REPOSITORY):
        raise UserError(f"--out {options.out}: lies in the repository, where no pictures of artwork belong")
    if options.store is None and not options.hold_out:
        raise UserError(
            "--hold-out: name the drawings that are scored, or give a --store in which they are held out"
        )
    if options.store is None and not (out / "store").exists():
        import_charactergan(options.drawings, out / "store", options.hold_out)
    store = Store.open(options.store or out / "store")
    real = real_pictures(options.drawings, store)
    schedule = Schedule(options.minutes, options.every)
    arms = {
        name: arm for name, arm in ARMS.items() if name in options.arms and (options.start or not arm.started)
    }
    runs = {name: out / "runs" / name.replace(" ", "_") for name in arms}
    curves = {
        name: train_arm(
            [*options.set, *arm.changes],
            options.recipe,
            options.start if arm.started else None,
            store,
            real,
            runs[name],
            schedule,
        )
        for name, arm in arms.items()
    }
    floored = warped_pictures(store, real)
    floors = {name: mean_scores(pictures, real) for name, pictures in floored.items()}
    print(f"`{own_command()}`\n\n{len(real)} held-out drawings, {torch.get_num_threads()} threads\n")
    print(summary_table({name: curve[-1] for name, curve in curves.items()}, floors))
    for name, curve in curves.items():
        print(f"\n### {name}\n\n{curve_table(curve)}")
    draw_curves(curves, floors, out / "curves.png")
    shown = [real, *(made_pictures(run, store, real) for run in runs.values()), *floored.values()]
    for row in store.split("test"):
        strip = torch.cat([pictures[row.id] for pictures in shown], dim=-1)
        write_frames(out / "held_out" / f"{row.id}.png", to_frames_u8(strip), 1.0)
    name = f"few_shot_curves {options.drawings.name} {options.recipe}"
    file = record(name, own_command(), {"curves": curves, "floors": floors})
    print(f"\nRecorded in {file.name}; pictures: {', '.join(['real', *arms, *floors])}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; repeat the same command to go on")
