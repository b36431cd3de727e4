"""Training from an animator's weights: what is carried over, what is refused, and that a run remembers it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import CLIP_GAN, DCGAN, changed, config, picture_folder, puppet_store
from tiny_networks import CHAIN14, random_batch, reference_frames, tiny_domain, tiny_generator, told

from temporal_gan.data.manifest import ClipLabels
from temporal_gan.data.store import Store
from temporal_gan.data.store_writer import StoreWriter
from temporal_gan.errors import CheckpointError, UserError
from temporal_gan.expressions import EXPRESSIONS
from temporal_gan.inference import weights_file
from temporal_gan.inference.weights_file import find_animator, load_generator, save_animator
from temporal_gan.models.generator import Generator
from temporal_gan.training.run import train
from temporal_gan.training.start import begin_from, known_expressions, load_start

ONE_STEP = changed(
    CLIP_GAN,
    model__references=2, model__identity="references", data__augment={}, losses__flow_weight=0.0,
    optim__lr_generator=1e-9, optim__lr_critic=1e-9, train__steps=1, train__preview_every_steps=100,
)  # fmt: skip
"""One step too small to matter: what is exported is what the run started from."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store", clips=3, frames=3)


def animator(path: Path, domain_changes: dict | None = None, **changes: object) -> Path:
    """A stand-in for shipped weights: the run's architecture, other characters, another skeleton."""
    wanted = {"channels": 4, "skeleton": CHAIN14, "expressions": EXPRESSIONS, "characters": ("a", "b", "c")}
    domain = tiny_domain(**(wanted | (domain_changes or {})))
    model = {k: v for k, v in ONE_STEP["model"].items() if k != "kind"}
    generator = tiny_generator(domain, seed=5, **(model | changes))
    save_animator(path, generator, reference_frames(domain))
    return path


def unlabelled(store: Store, path: Path) -> Store:
    """The same clips with no expression labelled."""
    info = store.info
    with StoreWriter(path, info.skeleton, info.expressions, info.fps, (32, 32), 4) as writer:
        for row in store.clips:
            labels: ClipLabels = store.labels(row.id)
            blank = np.zeros_like(labels.expression)
            labels = replace(labels, expression=blank, expression_confidence=blank)
            writer.add_clip(row, store.frames(row.id), labels)
    return Store.open(path)


def largest_difference(a: Generator, b: Generator) -> float:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return max(float((x - y).abs().max()) for x, y in pairs)


def test_a_run_starts_from_an_animators_weights(store: Store, tmp_path: Path) -> None:
    start = animator(tmp_path / "start.safetensors")
    train(config(ONE_STEP), store.path, tmp_path / "run", quiet=True, start=start)
    train(config(ONE_STEP), store.path, tmp_path / "fresh", quiet=True)
    began, made = load_generator(start)[0], load_generator(tmp_path / "run")[0]
    assert largest_difference(began, made) < 1e-3
    assert largest_difference(began, load_generator(tmp_path / "fresh")[0]) > 0.05
    assert made.domain.characters == store.info.characters
    assert made.domain.skeleton == store.info.skeleton
    # The generator itself, and not only its average.
    content = torch.load(next((tmp_path / "run" / "checkpoints").iterdir()), weights_only=True)
    for name, value in began.state_dict().items():
        assert (content["generator"][name] - value).abs().max() < 1e-3


def test_a_store_without_labels_keeps_the_expressions_it_starts_with(store: Store, tmp_path: Path) -> None:
    start, plain = animator(tmp_path / "start.safetensors"), unlabelled(store, tmp_path / "store")
    train(config(ONE_STEP), plain.path, tmp_path / "run", quiet=True, start=start)
    assert load_generator(tmp_path / "run")[0].domain.expressions == EXPRESSIONS
    train(config(ONE_STEP), plain.path, tmp_path / "fresh", quiet=True)
    assert load_generator(tmp_path / "fresh")[0].domain.expressions == ()


def test_expressions_are_known_if_labelled_or_if_the_start_knows_the_same(
    store: Store, tmp_path: Path
) -> None:
    same = load_start(animator(tmp_path / "same.safetensors"))
    other = load_start(animator(tmp_path / "other.safetensors", {"expressions": ("smug",)}))
    for start in (None, same, other):
        assert known_expressions(store.info, True, start) == EXPRESSIONS
    assert known_expressions(store.info, False, same) == EXPRESSIONS
    assert known_expressions(store.info, False, None) == known_expressions(store.info, False, other) == ()


def test_every_network_of_a_run_is_filled(tmp_path: Path) -> None:
    start = load_start(animator(tmp_path / "start.safetensors"))
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS, characters=("new",))
    model = {k: v for k, v in ONE_STEP["model"].items() if k != "kind"}
    networks = [tiny_generator(domain, seed=seed, **model) for seed in (1, 2)]
    begin_from(start, networks)
    assert [largest_difference(network, start.generator) for network in networks] == [0, 0]


def test_a_run_goes_on_only_from_the_weights_it_started_from(store: Store, tmp_path: Path) -> None:
    start, run = animator(tmp_path / "start.safetensors"), tmp_path / "run"
    train(config(ONE_STEP), store.path, run, quiet=True, start=start)
    other = animator(tmp_path / "other.safetensors", {"characters": ("z",)})
    for wrong in (None, other):
        with pytest.raises(CheckpointError, match="started from other weights; give its own --start"):
            train(config(ONE_STEP, train__steps=2), store.path, run, quiet=True, start=wrong)
    moved = tmp_path / "moved.safetensors"
    start.rename(moved)
    assert train(config(ONE_STEP, train__steps=2), store.path, run, quiet=True, start=moved).step == 2


def test_a_run_from_nothing_does_not_go_on_from_an_animator(store: Store, tmp_path: Path) -> None:
    train(config(ONE_STEP), store.path, tmp_path / "run", quiet=True)
    start = animator(tmp_path / "start.safetensors")
    with pytest.raises(CheckpointError, match="started from other weights"):
        train(config(ONE_STEP, train__steps=2), store.path, tmp_path / "run", quiet=True, start=start)


@pytest.mark.parametrize(
    ("domain", "model", "words"),
    [
        ({"channels": 3}, {}, "was trained on RGB clips, the store's are RGBA"),
        ({"expressions": ("smug",)}, {}, "knows the expressions smug, this run neutral, happy"),
        ({}, {"references": 3}, "another architecture: model.references is 3 there and 2 here"),
        ({}, {"width": 8}, "another architecture: model.width is 8 there and 4 here"),
        ({}, {"temporal": "conv"}, "another architecture: model.temporal is conv there and gru here"),
        ({}, {"identity": "both"}, "another architecture: model.identity is both there and references here"),
        ({}, {"carry": "encode"}, "another architecture: model.carry is encode there and warp here"),
        ({}, {"warp_offset": 0.1}, "another architecture: model.warp_offset is 0.1 there and 0.0 here"),
        # Neither layered_warp nor mirrored_references has a weight; the key that is to blame is named.
        ({}, {"layered_warp": True, "style_width": 32}, "model.style_width is 32 there and 16 here"),
    ],
)
def test_what_does_not_fit_is_refused(
    store: Store, tmp_path: Path, domain: dict, model: dict, words: str
) -> None:
    start = animator(tmp_path / "start.safetensors", domain, **model)
    with pytest.raises(UserError, match="--start") as caught:
        train(config(ONE_STEP), store.path, tmp_path / "run", quiet=True, start=start)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_keys_that_change_no_weight_may_differ(tmp_path: Path) -> None:
    start = animator(tmp_path / "start.safetensors", layered_warp=True, mirrored_references=True)
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS, characters=("new",))
    model = {k: v for k, v in ONE_STEP["model"].items() if k != "kind"}
    fresh = tiny_generator(domain, seed=9, **model)
    begin_from(load_start(start), [fresh])
    assert largest_difference(fresh, load_generator(start)[0]) == 0


def test_a_temporal_module_may_be_new_and_changes_nothing_at_first(tmp_path: Path) -> None:
    start = load_start(animator(tmp_path / "start.safetensors", temporal="none"))
    domain = replace(start.generator.domain, characters=("new",))
    model = {k: v for k, v in ONE_STEP["model"].items() if k != "kind"}
    grown = tiny_generator(domain, seed=9, awake=False, **model)
    assert (start.generator.config.temporal, grown.config.temporal) == ("none", "gru")
    batch, noise = random_batch(domain, 1, 3, references=2), torch.ones(1, grown.config.nz)
    began, _ = start.generator.eval()(told(start.generator, batch), noise)
    assert not torch.equal(grown(told(grown, batch), noise)[0], began)
    begin_from(start, [grown])
    assert torch.equal(grown(told(grown, batch), noise)[0], began)


def test_a_temporal_module_is_not_dropped(tmp_path: Path) -> None:
    start = load_start(animator(tmp_path / "start.safetensors"))
    model = {k: v for k, v in ONE_STEP["model"].items() if k != "kind"} | {"temporal": "none"}
    with pytest.raises(UserError, match="model.temporal is gru there and none here"):
        begin_from(start, [tiny_generator(start.generator.domain, **model)])


@pytest.mark.parametrize(
    ("model", "name"), [({"identity": "embedding"}, "character.weight"), ({"joint_maps": True}, "read.")]
)
def test_weights_tied_to_other_characters_or_joints_are_refused(
    tmp_path: Path, model: dict, name: str
) -> None:
    start = animator(tmp_path / "start.safetensors", **model)
    domain = tiny_domain(channels=4, expressions=EXPRESSIONS, characters=("new",))
    values = {k: v for k, v in ONE_STEP["model"].items() if k != "kind"} | model
    with pytest.raises(UserError, match=rf"{name}.* is tied to the skeleton .* or to the characters"):
        begin_from(load_start(start), [tiny_generator(domain, **values)])


def test_a_dcgan_starts_from_nothing(tmp_path: Path) -> None:
    pictures = picture_folder(tmp_path / "pictures", each=2)
    with pytest.raises(UserError, match="--start is for clip generators"):
        train(config(DCGAN), pictures, tmp_path / "run", quiet=True, start="base")


def test_the_shipped_animator_lies_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(weights_file.__file__).parents[1]
    assert package / "animators" == weights_file.ANIMATORS
    monkeypatch.setattr(weights_file, "ANIMATORS", tmp_path)
    with pytest.raises(CheckpointError, match="this installation has no shipped animator"):
        find_animator("base")
    file = animator(tmp_path / "base.safetensors")
    assert find_animator("base") == file
    assert load_start("base").generator.domain.characters == ("a", "b", "c")
