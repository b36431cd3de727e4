"""Every shipped recipe loads, takes a step and measures what it makes, its switches as they are; only widths and the
batch are made small."""

import json
from pathlib import Path

import pytest
from small_runs import ROOT, puppet_store

from temporal_gan.config import load_config
from temporal_gan.data.store import Store
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.models.dcgan import DCGANConfig
from temporal_gan.training.run import train

RECIPES = sorted(p for p in (ROOT / "configs").glob("*.yaml") if not p.stem.startswith("reader"))
FAMILY = ("clip64", "clip128", "clip256")

SMALL_CLIPS = (
    "model.width=4", "model.max_width=16", "critics.frame.width=4", "critics.clip.width=4", "critics.region.width=4",
    "data.batch=1",
)  # fmt: skip
SMALL_PICTURES = ("model.ngf=4", "model.ndf=4", "data.batch=2")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store", clips=3, frames=4, size=64)


@pytest.mark.parametrize(
    "path", [pytest.param(p, marks=[pytest.mark.slow] * ("256" in p.stem), id=p.stem) for p in RECIPES]
)
def test_every_recipe_takes_a_step(path: Path, store: Store, tmp_path: Path) -> None:
    recipe = load_config(str(path), [], ExperimentConfig)
    of_clips = not isinstance(recipe.model, DCGANConfig)
    small = SMALL_CLIPS if of_clips else SMALL_PICTURES
    once = ["train.steps=1", "train.device=cpu", "data.workers=0"]
    once += ["train.validate_every_steps=1"] * of_clips
    train(load_config(str(path), [*small, *once], ExperimentConfig), store.path, tmp_path, quiet=True)
    assert (tmp_path / "checkpoints" / "step_00000001.pt").is_file()
    lines = (tmp_path / "stats.jsonl").read_text().splitlines()
    figures = {key for line in lines for key in json.loads(line)}
    assert ("validation/foreground_psnr" in figures) == of_clips


def test_the_family_differs_by_size_alone_and_what_follows_from_it() -> None:
    recipes = [load_config(name, [], ExperimentConfig) for name in FAMILY]
    assert [r.model.size for r in recipes] == [64, 128, 256]
    small = recipes[0].model_dump()
    for recipe in recipes[1:]:
        other = recipe.model_dump()
        assert {k for k in small if small[k] != other[k]} <= {"model", "critics", "data"}
        assert {k for k in small["data"] if small["data"][k] != other["data"][k]} == {"batch"}
        assert {k for k in small["model"] if small["model"][k] != other["model"][k]} <= {
            "size", "network_size", "finish_width",
        }  # fmt: skip
