"""The clips of a sweep: rendered for it, or a store that is there."""

import hashlib
import json
from pathlib import Path

from ..data.store import Store
from ..errors import UserError
from ..evaluation.protocols import PROTOCOLS
from ..expressions import EXPRESSIONS
from ..models.conditioning import Domain
from ..puppet import MOTIONS, PuppetSpec, random_specs
from ..puppet.dataset import RECIPE, write_puppet_store
from ..skeletons import CANONICAL25
from ..training.start import Start, known_expressions
from .sweep import PuppetData, SweepConfig, SweepData


def puppet_specs(data: PuppetData) -> list[PuppetSpec]:
    """What is rendered: the clips to train on, then those that are scored. Raises UserError for an unknown name."""
    taught = [motion for motion in MOTIONS if motion not in data.held_out_motions]
    train = random_specs(
        data.clips, data.seed, data.characters, taught, None, data.frames, data.size, data.fps
    )
    return train + random_specs(
        data.scored, data.seed + 1, data.characters, data.held_out_motions, None, data.frames, data.size, data.fps
    )  # fmt: skip


def find_store(data: SweepData, out: Path) -> Path:
    """Where the store is or will be."""
    return out / "store" if data.store is None else Path(data.store)


def open_store(data: SweepData, out: Path, quiet: bool) -> Store:
    """Render what is not rendered yet, with exact flow, or open the store that is named.

    Raises:
        StoreError: there is no such store, or another one lies in the way.
    """
    if data.puppet is None:
        return Store.open(find_store(data, out))
    specs = puppet_specs(data.puppet)
    # Rare ones may be missing among few clips.
    held_out = sorted({spec.motion for spec in specs} & set(data.puppet.held_out_motions))
    return write_puppet_store(
        find_store(data, out), specs, data.puppet.seed, "flow", quiet=quiet, hold_out_motions=held_out
    )


def check_store(sweep: SweepConfig, store: Store) -> None:
    """Refuse a store in which the sweep has nothing to train on, or too little to score.

    Raises:
        UserError: no clips in ``train``, or fewer in the scored split than the protocol asks for.
    """
    fewest, scored = PROTOCOLS[sweep.protocol].fewest_clips, len(store.split(sweep.split))
    if not store.split("train"):
        raise UserError(f"{store.path}: has no clips in split 'train' to train on")
    if scored < max(fewest, 1):
        raise UserError(
            f"{store.path}: has {scored} clips in split {sweep.split!r} to score, {sweep.protocol} asks for "
            f"{max(fewest, 1)} or more"
        )


def data_key(data: SweepData, out: Path) -> str:
    """Names the clips, without rendering any. Raises StoreError where a named store is missing."""
    if data.puppet is None:
        return Store.open(find_store(data, out)).info.content_hash
    told = [
        RECIPE,
        data.puppet.model_dump(mode="json"),
        [spec.to_json() for spec in puppet_specs(data.puppet)],
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def data_domain(data: SweepData, out: Path, start: Start | None) -> Domain | None:
    """What the networks will be made for; None where a named store is not there (yet).

    Args:
        data, out: of the sweep.
        start: the animator that training starts from, whose expressions stay known where no frame is labelled.
    """
    if data.puppet is not None:
        # In the order in which the store will list them.
        characters = tuple(dict.fromkeys(spec.character for spec in puppet_specs(data.puppet)))
        return Domain(4, CANONICAL25, EXPRESSIONS, characters, data.puppet.fps)
    path = find_store(data, out)
    if not (path / "store.json").is_file():
        return None
    store = Store.open(path)
    info = store.info
    labelled = any(store.labels(row.id).expression_confidence.any() for row in store.clips)
    expressions = known_expressions(info, labelled, start)
    return Domain(info.channels, info.skeleton, expressions, info.characters, info.fps)
