"""From a few labelled drawings of one character to an animator of it, its held-out drawings made again, and a clip."""

import json
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from .config import load_config, parse_config
from .data.drawing_store import lay_in_squares, write_drawing_store
from .data.store import Store
from .drawings import Drawings, read_animation, read_charactergan
from .errors import UserError
from .evaluation.held_out_drawings import nearest_warp, picture_scores
from .evaluation.pairing import animate_row
from .evaluation.results import write_atomically
from .experiment import ExperimentConfig
from .inference.animator import Animator, load_animator
from .inference.weights_file import load_generator
from .keying import CutOut, cut_out
from .models.generator import GeneratorConfig
from .training.precision import fast_on_this_cpu
from .training.run import train
from .video_io import write_frames

SIZES: tuple[int, ...] = tuple(
    s for s in get_args(GeneratorConfig.model_fields["size"].annotation) if s >= 64
)
"""Sides of the squares that drawings are laid in, and sizes of the network."""

RECIPES = {128: "fewshot128", SIZES[-1]: "fewshot256"}
"""Largest size -> recipe."""

METHODS = ("made", "limb warp", "layered warp")


@dataclass(frozen=True)
class FewShot:
    """What is wanted.

    Attributes:
        drawings: folder in CharacterGAN's format (temporal_gan.drawings).
        out: the run's folder.
        hold_out: file names of drawings that are not trained on but made again.
        minutes: of training, in this call.
        size: pixels per side of the network's frames; None: the square the drawings are laid in.
        animate: a list of drawings to move through; None: no clip is made.
        steps: of training, in all; None: as the recipe says.
        start: ``base``, an animator's file or its run; None: start from nothing.
        quiet: print nothing.
    """

    drawings: Path
    out: Path
    hold_out: tuple[str, ...] = ()
    minutes: float = 15.0
    size: int | None = None
    animate: Path | None = None
    steps: int | None = None
    start: str | None = "base"
    quiet: bool = False


def run_few_shot(wanted: FewShot) -> None:
    """Train, or go on training, and write ``held_out/`` and ``animation.gif`` and ``.mp4`` into the run's folder.

    Drawings are not resampled: each lies unscaled in a square of 64, 128, 256 or 512 pixels, and what is made is cut
    back to its size. Only larger ones are scaled down for the network.

    Raises:
        UserError: faulty drawings, a start that does not fit, a run of other drawings.
        KeyboardInterrupt: Ctrl-C; the training so far is kept.
    """
    console = Console(quiet=wanted.quiet, highlight=False, soft_wrap=True)
    drawings = read_charactergan(wanted.drawings)
    cut = [cut_out(pixels) for pixels in drawings.pixels]
    for file, found in zip(drawings.files, cut, strict=True):
        if found.is_opaque:
            console.print(f"{file.name}: its background is not plain, so it moves with the figure")
    # Every mistake in the list before a quarter of an hour of training.
    side = _side(drawings)
    moves = None if wanted.animate is None else read_animation(_list_file(wanted), side)
    size = _network_size(wanted, side, console)
    config = _config(wanted, size)
    keyed = replace(drawings, pixels=tuple(found.picture_u8 for found in cut))
    store = _store(wanted, lay_in_squares(keyed, side))
    outcome = train(config, store.path, wanted.out, wanted.minutes, wanted.quiet, wanted.start)
    if outcome.interrupted:
        raise KeyboardInterrupt
    console.print(f"trained {outcome.step} steps")
    animator = load_animator(wanted.out)
    if wanted.hold_out:
        _make_held_out(animator, store, drawings, cut, wanted.out / "held_out", console)
    if moves is not None:
        blank = np.full((len(moves), len(animator.expressions)), np.nan, np.float32)
        made = _pixels(animator.generate(moves, blank if animator.expressions else None, size=side))
        if len({pixels.shape[:2] for pixels in drawings.pixels}) == 1:
            made = _cropped(made, drawings.pixels[0])
        clip = made if cut[0].page is None else cut[0].laid_back(made)
        for name in ("animation.gif", "animation.mp4"):
            write_frames(wanted.out / name, clip, moves.fps)
            console.print(f"made {wanted.out / name}: {len(clip)} frames of {clip.shape[2]}x{clip.shape[1]}")


def _side(drawings: Drawings) -> int:
    largest = max(max(pixels.shape[:2]) for pixels in drawings.pixels)
    return next((s for s in SIZES if s >= largest), largest)


def _list_file(wanted: FewShot) -> Path:
    """As given, or beside the drawings."""
    assert wanted.animate is not None
    beside = wanted.drawings / wanted.animate
    return beside if beside.is_file() and not wanted.animate.is_file() else wanted.animate


def _network_size(wanted: FewShot, side: int, console: Console) -> int:
    if wanted.size is not None and wanted.size not in SIZES:
        raise UserError(f"--size {wanted.size}: expected native, or one of {', '.join(map(str, SIZES))}")
    size = wanted.size or min(side, SIZES[-1])
    if size < side:
        console.print(f"the network works at {size} pixels: drawings of up to {side} are scaled down for it")
    return size


def _config(wanted: FewShot, size: int) -> ExperimentConfig:
    """The recipe at this size; with weights to start from, of their architecture."""
    recipe = next(name for largest, name in RECIPES.items() if size <= largest)
    overrides = [f"model.size={size}"]
    overrides += [] if wanted.steps is None else [f"train.steps={wanted.steps}"]
    overrides += ["train.precision=bfloat16"] if fast_on_this_cpu() else []
    config = load_config(recipe, overrides, ExperimentConfig)
    if wanted.start is None:
        return config
    assert isinstance(config.model, GeneratorConfig)
    kept = {"size": size, "network_size": config.model.network_size}
    model = load_generator(wanted.start)[0].config.model_dump() | kept
    return parse_config(config.model_dump() | {"model": model}, ExperimentConfig, recipe)


def _store(wanted: FewShot, squares: Drawings) -> Store:
    """The drawings as a clip store in the run's folder; a store that is there must be of the same drawings."""
    path, partial = wanted.out / "store", wanted.out / "store.partial"
    # Written beside its place, so that a store under that name is always whole.
    shutil.rmtree(partial, ignore_errors=True)
    info = write_drawing_store(squares, partial, wanted.hold_out)
    if not path.exists():
        os.replace(partial, path)
        return Store.open(path)
    shutil.rmtree(partial)
    store = Store.open(path)
    if store.info.content_hash != info.content_hash:
        raise UserError(
            f"{wanted.out}: was begun with other drawings, other labels or another --hold-out; choose another --out"
        )
    return store


def _make_held_out(
    animator: Animator,
    store: Store,
    drawings: Drawings,
    cut: list[CutOut],
    folder: Path,
    console: Console,
) -> None:
    number = {file.name: n for n, file in enumerate(drawings.files)}
    warps = {"limb warp": nearest_warp(store, False), "layered warp": nearest_warp(store, True)}
    scores: dict[str, dict[str, dict[str, float]]] = {}
    pairs = []
    for row in store.split("test"):
        n = number[row.source]
        real = (
            cut[n].laid_back(cut[n].picture_u8) if drawings.pixels[n].shape[-1] == 4 else drawings.pixels[n]
        )
        shown: dict[str, Tensor] = {"made": animate_row(animator, store, row)}
        shown |= {name: warp(row) for name, warp in warps.items()}
        pictures = {
            name: cut[n].laid_back(_cropped(_pixels(video), drawings.pixels[n])[0])
            for name, video in shown.items()
        }
        scores[row.source] = {
            name: picture_scores(_tensor(picture), _tensor(real)) for name, picture in pictures.items()
        }
        write_frames(folder / f"{Path(row.source).stem}.png", pictures["made"][None], 1.0)
        pairs.append(np.concatenate([real, pictures["made"]], axis=1))
    write_frames(folder / "contact.png", _stacked(pairs)[None], 1.0)
    write_atomically(folder / "scores.json", json.dumps(scores, indent=1) + "\n")
    for line in _table(scores):
        console.print(line)
    console.print(f"made {folder}: {len(pairs)} pictures, contact.png (real, made), scores.json")


def _cropped(squares: np.ndarray, drawing: np.ndarray) -> np.ndarray:
    """The part of squares [T, S, S, C] in which a drawing [H, W, ...] lies."""
    (height, width), side = drawing.shape[:2], squares.shape[1]
    left, top = (side - width) // 2, (side - height) // 2
    return squares[:, top : top + height, left : left + width]


def _pixels(video: Tensor) -> np.ndarray:
    """[T, C, H, W] in [0, 1] -> uint8 [T, H, W, C]."""
    return (video * 255).round().byte().permute(0, 2, 3, 1).numpy()


def _tensor(picture_u8: np.ndarray) -> Tensor:
    return torch.from_numpy(picture_u8).permute(2, 0, 1)[None].float() / 255


def _stacked(pictures: list[np.ndarray]) -> np.ndarray:
    """One above the other, narrower ones on white."""
    width = max(p.shape[1] for p in pictures)
    return np.concatenate(
        [np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures]
    )


def _table(scores: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Means over the held-out drawings, a line a method."""
    names = list(next(iter(scores.values()))["made"])
    lines = ["  ".join([f"{'held out':12}", *names])]
    for method in METHODS:
        means = [float(np.mean([of[method][name] for of in scores.values()])) for name in names]
        cells = [f"{mean:{len(name)}.3f}" for mean, name in zip(means, names, strict=True)]
        lines.append("  ".join([f"{method:12}", *cells]))
    return lines
