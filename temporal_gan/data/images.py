"""Single pictures for the DCGAN baseline: a folder of images, or the frames of a store's train split."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..alpha import over_white
from ..batch import to_model_range
from ..errors import StoreError
from ..rng import mix_seed
from ..video_io import STILL_SUFFIXES, natural_key, read_picture
from .cache import ClipCache, open_cache
from .sampling import StepSampler, epoch_order
from .store import Store


class ImageDataset(Dataset):
    """Sample number -> one square picture and its class, as a function of the seed and the number alone.

    A folder's pictures are resized by their shorter side and cropped to the middle; a store's frames come
    from its cache, fitted whole into the square. Every second picture on average is mirrored. Alpha is laid
    on white.

    Args:
        path: a folder of pictures, searched to any depth in natural order, or a clip store.
        size: pixels of the square's side.
        seed: of order and mirroring.
        conditional: give classes: the first folder level's names, or the store's characters.
        quiet: no progress bar while a store's cache is built.
    Attributes:
        classes: names, () where not conditional.
        files: the pictures of a folder, empty for a store.
        labels: int64 [N], the class of each picture, 0 where not conditional.
    Raises:
        StoreError: nothing there, or pictures outside any class folder where conditional.
    """

    def __init__(
        self, path: Path | str, size: int, seed: int, conditional: bool, quiet: bool = False
    ) -> None:
        self.path, self.size, self.seed = Path(path), size, seed
        self.files: list[Path] = []
        self._cache: ClipCache | None = None
        if (self.path / "store.json").is_file():
            names, self._places, self.labels = self._open_store(quiet)
        elif self.path.is_dir():
            names, self.labels = self._find_files(conditional)
        else:
            raise StoreError(f"{path}: no such folder of pictures or clip store")
        self.classes = names if conditional else ()
        if not conditional:
            self.labels = np.zeros_like(self.labels)

    def _open_store(self, quiet: bool) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
        store = Store.open(self.path)
        self._cache = open_cache(store, self.size, quiet=quiet)
        number = {name: i for i, name in enumerate(store.info.characters)}
        character = store.clips.column("character")
        places, labels = [], []
        for clip in np.flatnonzero(store.clips.column("split") == "train"):
            count = int(store.frame_starts[clip + 1] - store.frame_starts[clip])
            places += [(clip, frame) for frame in range(count)]
            labels += [number[character[clip]]] * count
        if not places:
            raise StoreError(f"{self.path}: this store has no clips in split 'train'")
        return store.info.characters, np.array(places), np.array(labels, np.int64)

    def _find_files(self, conditional: bool) -> tuple[tuple[str, ...], np.ndarray]:
        found = [f for f in self.path.rglob("*") if f.suffix.lower() in STILL_SUFFIXES and f.is_file()]
        relative = [f.relative_to(self.path) for f in found]
        visible = [f for f in relative if not any(part.startswith(".") for part in f.parts)]
        if not visible:
            raise StoreError(
                f"{self.path}: no pictures in this folder (looked for {' '.join(STILL_SUFFIXES)})"
            )
        visible.sort(key=lambda f: [natural_key(part) for part in f.parts])
        self.files = [self.path / f for f in visible]
        if not conditional:
            return (), np.zeros(len(visible), np.int64)
        loose = [f for f in visible if len(f.parts) == 1]
        if loose:
            raise StoreError(
                f"{self.path / loose[0]}: is in no class folder; classes are named by the sub-folders"
            )
        names = tuple(dict.fromkeys(f.parts[0] for f in visible))
        return names, np.array([names.index(f.parts[0]) for f in visible], np.int64)

    def __len__(self) -> int:
        """Number of pictures, so of samples in one pass."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Sample ``index`` (0, 1, 2 ... without end): float32 [3, S, S] in [-1, 1], and int64 [].

        Raises:
            StoreError: the picture cannot be read; the file is named.
        """
        epoch, place = divmod(index, len(self))
        number = int(epoch_order(self.seed, epoch, len(self))[place])
        if self._cache is not None:
            clip, frame = self._places[number].tolist()
            pixels = over_white(self._cache.frames("video", clip, frame, 1)[0].transpose(1, 2, 0))
        else:
            pixels = _square(over_white(read_picture(self.files[number])), self.size)
        if mix_seed(self.seed, "mirror", index) % 2:
            pixels = pixels[:, ::-1]
        image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float() / 255
        return to_model_range(image), torch.tensor(int(self.labels[number]))


def image_batches(
    dataset: ImageDataset,
    start_step: int,
    global_batch: int,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
    pinned: bool = False,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One rank's batches from ``start_step`` on, for ever: images float32 [B, 3, S, S] in [-1, 1], labels
    int64 [B].

    Args:
        dataset: the pictures.
        start_step: the first step to serve.
        global_batch: pictures of one step over all ranks; this rank gets ``global_batch / world`` of them.
        rank, world: this process and the number of processes.
        workers: processes that read ahead; 0 = read in this one.
        pinned: in memory from which a CUDA device copies while it computes.
    Raises:
        ValueError: the global batch does not split evenly.
        StoreError: while iterating, a picture cannot be read.
    """
    steps = StepSampler(start_step, global_batch, rank, world)
    loader = DataLoader(dataset, batch_sampler=steps, num_workers=workers, pin_memory=pinned)
    return _plain_errors(iter(loader))


def _plain_errors(batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    try:
        yield from batches
    except StoreError as error:
        # From a worker the message arrives inside a whole traceback; its last line is the message.
        message = str(error).strip().splitlines()[-1].split("StoreError: ")[-1]
        # This traceback keeps the loader in a cycle; collected late, its workers take 5 s to end.
        error.with_traceback(None)
    raise StoreError(message)


def _square(pixels: np.ndarray, size: int) -> np.ndarray:
    """uint8 [H, W, 3] -> the middle of it, uint8 [size, size, 3]."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = pixels[top : top + side, left : left + side]
    if side == size:
        return middle
    return cv2.resize(
        middle, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LANCZOS4
    )
