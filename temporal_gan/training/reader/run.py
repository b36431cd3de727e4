"""A reader's training run: on the endless puppet, or on a labelled store."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from ...distributed import World, choose_device
from ...expressions import CLASSES
from ...models.reader import Reader, Reading
from ...models.reader_file import READER_FILE, load_reader, reader_sha256, save_reader
from ...puppet.dataset import RECIPE
from ...rng import mix_seed
from ..loop import Job, Outcome, fit
from ..state import TrainState
from .frames import FrameBatch, PuppetFrames
from .recipe import ReaderRecipe
from .step import build_reader_state, take_reader_step
from .store_frames import StoreFrames

_SHOWN = 24


def train_reader(
    recipe: ReaderRecipe,
    out: Path | str,
    data: Path | str | None = None,
    start: Path | str | None = None,
    minutes: float | None = None,
    quiet: bool = False,
) -> Outcome:
    """Train a reader, or go on with it.

    Args:
        recipe: the whole recipe.
        out: run folder, with ``reader.safetensors`` in the end; created, or gone on with.
        data: a clip store with labelled joints, expressions or both; None: the puppet.
        start: name or file of a reader to start from; None: from nothing.
        minutes: stop and save after this time; None: no limit.
        quiet: no progress bar and no notices.
    Raises:
        UserError: anything the user can mend: recipe, store, reader, device, checkpoint.
    """
    out = Path(out)
    device = choose_device(recipe.train.device)
    if device.type == "cpu":
        torch.set_flush_denormal(True)
    try:
        seed = recipe.train.seed
        source: PuppetFrames | StoreFrames
        if data is None:
            source, data_hash = PuppetFrames(recipe.frames, seed), RECIPE
            held_out: PuppetFrames | StoreFrames = PuppetFrames(recipe.frames, mix_seed(seed, "preview"))
        else:
            source = held_out = StoreFrames(Path(data), recipe.frames, seed)
            data_hash = source.store.info.content_hash
        begin = None if start is None else load_reader(start)
        if begin is not None and begin.config != recipe.model:
            recipe = recipe.model_copy(update={"model": begin.config})
        began = "" if start is None else reader_sha256(start)
        state = build_reader_state(recipe, begin, device)

        def batches(first_step: int) -> Iterator[FrameBatch]:
            step = first_step
            while True:
                yield source.batch(step).to(device)
                step += 1

        def preview(state: TrainState, folder: Path) -> tuple[dict[str, float], Tensor]:
            assert isinstance(state.generator, Reader)
            picture = draw_readings(state.generator, held_out.batch(0).to(device))
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"step_{state.step:08d}.png"), picture[..., ::-1])
            return {}, torch.from_numpy(picture).permute(2, 0, 1).float() / 255

        def export(state: TrainState) -> None:
            assert isinstance(state.generator, Reader)
            about = {
                "steps": state.step,
                "recipe": recipe.model_dump(mode="json"),
                "data": data_hash,
                "start": began,
            }
            save_reader(out / READER_FILE, state.generator, about)

        job = Job(
            state=state,
            data_hash=f"{data_hash} {began}",
            start=began,
            batches=batches,
            take_step=lambda state, batch: take_reader_step(state, batch, recipe),
            preview=preview,
            ends_pass=lambda step: False,
            export=export,
        )
        return fit(job, recipe, out, World(), device, minutes, quiet)
    finally:
        torch.set_flush_denormal(False)


@torch.no_grad()
def draw_readings(reader: Reader, batch: FrameBatch) -> np.ndarray:
    """uint8 [H, W, 3]: a sheet of pictures with the joints (red seen, blue hidden) and the class that were read."""
    training = reader.training
    reading: Reading = reader.eval()(batch.frames[:_SHOWN])
    reader.train(training)
    tiles = []
    side = 160
    for frame, points, seen, face in zip(
        batch.frames, reading.keypoints, reading.confidence, reading.expression, strict=False
    ):
        tile = cv2.resize((frame.permute(1, 2, 0).cpu().numpy() * 255).astype(np.uint8), (side, side))
        for (x, y), confidence in zip((points * side).int().tolist(), seen.tolist(), strict=True):
            if confidence > 0.25:
                cv2.circle(tile, (x, y), 2, (230, 30, 30) if confidence > 0.75 else (40, 60, 230), -1)
        name = CLASSES[int(face[: len(CLASSES)].argmax())]
        cv2.putText(tile, name, (3, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (200, 0, 0))
        tiles.append(tile)
    tiles += [np.full((side, side, 3), 255, np.uint8)] * (-len(tiles) % 6)
    return np.concatenate([np.concatenate(tiles[i : i + 6], axis=1) for i in range(0, len(tiles), 6)])
