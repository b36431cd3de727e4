"""Windows of clips as :class:`ClipBatch`: for training an endless stream, for evaluation one whole clip."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..batch import ClipBatch, to_model_range
from ..errors import StoreError
from .cache import ClipCache
from .references import POOL, ReferencePool, choose_references, pool_size, with_mirrored
from .sampling import StepSampler, sample_at
from .store import Store


class ClipDataset(Dataset[ClipBatch]):
    """Sample number -> a window of one clip, as a function of the seed and the number alone.

    Args:
        store: where the clips come from.
        cache: of that store; its size is the pictures' size, and its flow is used where it has any.
        split: one of manifest.SPLITS.
        frames: wanted window length.
        seed: of order, windows and references.
        references: reference frames R a sample carries; 0: none.
        mirrored: choose them among mirrored frames too.
        smallest_pool: they are chosen among so many frames or more, up to ``POOL``; how many is drawn for each sample,
            every doubling as often. A network that is to serve characters known from one picture must meet such.
    Attributes:
        window: frames of every sample: ``frames``, or the split's longest clip where that is shorter.
        skipped_clips: number of clips of the split that are shorter than the window, and so never drawn.
        positions: int64 [N], places in the store of the clips drawn.
    Raises:
        StoreError: the split has no clips; the splits that there are get listed.
    """

    def __init__(
        self,
        store: Store,
        cache: ClipCache,
        split: str,
        frames: int,
        seed: int,
        references: int = 0,
        mirrored: bool = False,
        smallest_pool: int = POOL,
    ) -> None:
        if frames < 1:
            raise StoreError(f"a window of {frames} frames; expected at least 1")
        splits = store.clips.column("split")
        chosen = np.flatnonzero(splits == split)
        if not len(chosen):
            names, counts = np.unique(splits.astype(str), return_counts=True)
            there = ", ".join(f"{n} ({c} clips)" for n, c in zip(names, counts, strict=True))
            raise StoreError(f"{store.path}: no clips in split {split!r}; this store has {there}")
        lengths = store.clips.column("frames")[chosen]
        self.store, self.cache, self.seed = store, cache, seed
        self.window = min(frames, int(lengths.max()))
        self.positions = chosen[lengths >= self.window]
        self.skipped_clips = len(chosen) - len(self.positions)
        self._lengths = lengths[lengths >= self.window]
        self._references, self._mirrored, self._smallest_pool = references, mirrored, smallest_pool
        self._pool = ReferencePool(store, cache)

    def __len__(self) -> int:
        """Number of clips drawn from, so of samples in one pass."""
        return len(self.positions)

    def __getitem__(self, index: int) -> ClipBatch:
        """Sample ``index`` (0, 1, 2 ... without end) as a batch of one clip."""
        sample = sample_at(self.seed, index, self._lengths, self.window)
        position = int(self.positions[sample.clip])
        clip = _window(self.store, self.cache, position, sample.start, self.window)
        if not self._references:
            return clip
        character = self.store.clips[position].character
        count = pool_size(self.seed, index, self._smallest_pool)
        places = self._pool.around(self.seed, index, character, position, sample.start, self.window)[:count]
        names = ("video", "keypoints", "confidence", "layer")
        if not places:
            return with_references(clip, {}, self._references)
        flip = self.store.info.skeleton.flip_permutation()
        poses = self._pool.read(places, names[1:])
        poses = with_mirrored(poses, flip) if self._mirrored else poses
        pose = clip.keypoints[0].numpy(), clip.confidence[0].numpy()
        chosen = choose_references(*pose, poses["keypoints"], poses["confidence"], self._references)
        # Only the pictures that were chosen are read; a mirrored one's number is beyond those of the places.
        pool = self._pool.read([places[i % len(places)] for i in chosen], names)
        if self._mirrored:
            turned = [place + len(chosen) * (i >= len(places)) for place, i in enumerate(chosen)]
            pool = {name: values[turned] for name, values in with_mirrored(pool, flip).items()}
        return with_references(clip, pool, self._references)


def with_references(clip: ClipBatch, frames: Mapping[str, np.ndarray], count: int) -> ClipBatch:
    """A batch of one clip with reference frames added.

    Args:
        clip: without references.
        frames: video uint8 [P, C, S, S], keypoints, confidence and layer [P, ...], P at most ``count``; or empty.
        count: R; where frames are fewer, the rest has confidence 0, which says that it is missing.
    """
    _, _, c, h, w = clip.video.shape
    joints = clip.keypoints.shape[2]
    video = torch.full((count, c, h, w), -1.0)
    keypoints, confidence = torch.zeros(count, joints, 2), torch.zeros(count, joints)
    layer = torch.zeros(count, joints, dtype=torch.int64)
    if frames:
        there = slice(len(frames["video"]))
        video[there] = to_model_range(torch.from_numpy(frames["video"]).float() / 255)
        keypoints[there] = torch.from_numpy(frames["keypoints"])
        confidence[there] = torch.from_numpy(frames["confidence"])
        layer[there] = torch.from_numpy(frames["layer"].astype(np.int64))
    return replace(
        clip,
        reference_video=video[None],
        reference_keypoints=keypoints[None],
        reference_confidence=confidence[None],
        reference_layer=layer[None],
    )


def with_nearest_references(
    clip: ClipBatch, bank: Mapping[str, np.ndarray], count: int, flip: np.ndarray | None = None
) -> ClipBatch:
    """As :func:`with_references`, with those frames of a character's bank (or none) that suit the clip's poses; with
    the skeleton's ``flip`` permutation, among the mirrored ones too."""
    if bank:
        bank = bank if flip is None else with_mirrored(bank, flip)
        pose = clip.keypoints[0].numpy(), clip.confidence[0].numpy()
        chosen = choose_references(*pose, bank["keypoints"], bank["confidence"], count)
        bank = {name: values[chosen] for name, values in bank.items()}
    return with_references(clip, bank, count)


def whole_clip(store: Store, cache: ClipCache, clip_id: str) -> ClipBatch:
    """All frames of one clip as a batch of one. Raises StoreError where there is no such clip."""
    position = store.clips.position(clip_id)
    return _window(
        store, cache, position, 0, int(store.frame_starts[position + 1] - store.frame_starts[position])
    )


def collate(clips: Sequence[ClipBatch]) -> ClipBatch:
    """Join batches of clips of one length and size, and check the result.

    Raises:
        ValueError: shapes differ, or some have flow and some have not.
    """
    joined: dict[str, Tensor | None] = {}
    for name in (f.name for f in fields(ClipBatch) if f.name != "clip_id"):
        values = [getattr(c, name) for c in clips]
        there = [v for v in values if v is not None]
        if there and len(there) != len(values):
            raise ValueError(f"ClipBatch.{name} is missing in some of the clips {[c.clip_id for c in clips]}")
        joined[name] = torch.cat(there) if there else None
    return ClipBatch(clip_id=tuple(i for c in clips for i in c.clip_id), **joined).validate()  # type: ignore[arg-type]


def clip_batches(
    dataset: Dataset[ClipBatch],
    start_step: int,
    global_batch: int,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
    pinned: bool = False,
) -> Iterator[ClipBatch]:
    """One rank's batches from ``start_step`` on, for ever; what a step holds does not depend on where one
    starts.

    Args:
        dataset: a sample's number -> that sample as a batch of one clip.
        start_step: the first step to serve.
        global_batch: clips of one step over all ranks; this rank gets ``global_batch / world`` of them.
        rank, world: this process and the number of processes.
        workers: processes that read ahead; 0 = read in this one.
        pinned: in memory from which a CUDA device copies while it computes.
    Raises:
        ValueError: the global batch does not split evenly.
    """
    steps = StepSampler(start_step, global_batch, rank, world)
    loader = DataLoader(
        dataset, batch_sampler=steps, num_workers=workers, collate_fn=collate, pin_memory=pinned
    )
    return iter(loader)


def _window(store: Store, cache: ClipCache, position: int, start: int, count: int) -> ClipBatch:
    def tensor(name: str) -> Tensor:
        return torch.from_numpy(cache.frames(name, position, start, count))[None]

    flow = valid = None
    if cache.has_flow:
        arrays = cache.flow(position, start, count)
        flow, valid = torch.from_numpy(arrays[0])[None].float(), torch.from_numpy(arrays[1])[None]
    row = store.clips[position]
    return ClipBatch(
        video=to_model_range(tensor("video").float() / 255),
        keypoints=tensor("keypoints"),
        confidence=tensor("confidence"),
        layer=tensor("layer").long(),
        expression=tensor("expression"),
        expression_confidence=tensor("expression_confidence"),
        character=torch.tensor([store.info.characters.index(row.character)]),
        time=tensor("time"),
        hold=tensor("hold"),
        clip_id=(row.id,),
        flow=flow,
        flow_valid=valid,
    )
