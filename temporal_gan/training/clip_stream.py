"""A run's stream of training clips: read, cut and augmented in the loader, ahead of the step that uses them."""

from collections.abc import Iterator

import torch
from torch.utils.data import Dataset

from .. import rng
from ..batch import ClipBatch
from ..data.clips import ClipDataset, clip_batches
from ..data.transforms import augment
from ..distributed import World
from ..experiment import ExperimentConfig
from .precision import work_dtype


class AugmentedClips(Dataset[ClipBatch]):
    """Sample number -> that sample as its step trains on it: as long as the curriculum says, and augmented.

    Args:
        clips: the samples.
        config: its data section and its seed are looked at.
    """

    def __init__(self, clips: ClipDataset, config: ExperimentConfig) -> None:
        self._clips, self._data = clips, config.data
        self._seed = rng.mix_seed(config.train.seed, "augment")

    def __getitem__(self, index: int) -> ClipBatch:
        """A batch of one clip, on the CPU."""
        info = self._clips.store.info
        clip = self._clips[index].first_frames(self._data.frames_at(index // self._data.batch))
        return augment(clip, self._data.augment, self._seed, index, info.skeleton, info.expressions)


def clip_stream(
    clips: ClipDataset, config: ExperimentConfig, first_step: int, world: World, device: torch.device
) -> Iterator[ClipBatch]:
    """One rank's batches from ``first_step`` on, for ever, on the device.

    Augmentation decides by values, for which a device would have to be waited; ``data.workers`` take it out of the
    step's time.

    Args:
        clips: of the train split.
        config: of the run.
        first_step: the first step to serve.
        world: this process among all.
        device: where the networks are.
    """
    data = AugmentedClips(clips, config)
    workers, pinned = config.data.workers, device.type == "cuda"
    for batch in clip_batches(data, first_step, config.data.batch, world.rank, world.size, workers, pinned):
        yield batch.to(device, work_dtype(config))
