"""The clips of a sweep: rendered for it, or a store that is there."""

import hashlib
import json
from pathlib import Path

from ..data.store import Store
from ..expressions import EXPRESSIONS
from ..models.conditioning import Domain
from ..puppet import MOTIONS, PuppetSpec, random_specs
from ..puppet.dataset import RECIPE, write_puppet_store
from ..skeletons import CANONICAL25
from .sweep import PuppetData, SweepData


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


def data_domain(data: SweepData, out: Path) -> Domain | None:
    """What the networks will be made for; None where a named store is not there (yet)."""
    if data.puppet is not None:
        # In the order in which the store will list them.
        characters = tuple(dict.fromkeys(spec.character for spec in puppet_specs(data.puppet)))
        return Domain(4, CANONICAL25, EXPRESSIONS, characters, data.puppet.fps)
    path = find_store(data, out)
    if not (path / "store.json").is_file():
        return None
    info = Store.open(path).info
    return Domain(info.channels, info.skeleton, info.expressions, info.characters, info.fps)
