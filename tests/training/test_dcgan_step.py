"""The DCGAN is the textbook's, to the last digit, and its pictures appear when they should."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import DCGAN, call, config, config_file, picture_folder, puppet_store
from torch import Tensor, nn

from temporal_gan import rng
from temporal_gan.config import load_config
from temporal_gan.distributed import World
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.inference.weights_file import load_sampler
from temporal_gan.models.dcgan import DCGANConfig, DCGANGenerator
from temporal_gan.training.dcgan_step import build_dcgan_state, take_dcgan_step
from temporal_gan.training.run import train
from temporal_gan.training.state import TrainState
from temporal_gan.video_io import read_frames

CPU = torch.device("cpu")
NZ, NGF, NDF, BATCH = 8, 4, 4, 4


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return picture_folder(tmp_path_factory.mktemp("data") / "pictures")


def batches(count: int, classes: int = 1) -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(5)
    return [
        (torch.rand(BATCH, 3, 64, 64, generator=draw) * 2 - 1, torch.arange(BATCH) % classes)
        for _ in range(count)
    ]


def ours(cfg: ExperimentConfig, steps: int) -> tuple[TrainState, list[dict[str, float]]]:
    state = build_dcgan_state(cfg, 0, CPU)
    logs = [take_dcgan_step(state, batch, cfg, World()) for batch in batches(steps)]
    return state, [{name: float(value) for name, value in log.items()} for log in logs]


def textbook_networks() -> tuple[nn.Sequential, nn.Sequential]:
    """Layer by layer as in the paper and in PyTorch's own tutorial."""
    netG = nn.Sequential(
        nn.ConvTranspose2d(NZ, NGF * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(NGF * 8), nn.ReLU(),
        nn.ConvTranspose2d(NGF * 8, NGF * 4, 4, 2, 1, bias=False), nn.BatchNorm2d(NGF * 4), nn.ReLU(),
        nn.ConvTranspose2d(NGF * 4, NGF * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(NGF * 2), nn.ReLU(),
        nn.ConvTranspose2d(NGF * 2, NGF, 4, 2, 1, bias=False), nn.BatchNorm2d(NGF), nn.ReLU(),
        nn.ConvTranspose2d(NGF, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    netD = nn.Sequential(
        nn.Conv2d(3, NDF, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(NDF, NDF * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(NDF * 2), nn.LeakyReLU(0.2),
        nn.Conv2d(NDF * 2, NDF * 4, 4, 2, 1, bias=False), nn.BatchNorm2d(NDF * 4), nn.LeakyReLU(0.2),
        nn.Conv2d(NDF * 4, NDF * 8, 4, 2, 1, bias=False), nn.BatchNorm2d(NDF * 8), nn.LeakyReLU(0.2),
        nn.Conv2d(NDF * 8, 1, 4, 1, 0, bias=False),
    )  # fmt: skip
    return netG, netD


@pytest.mark.parametrize("steps", [1, 3])
def test_our_steps_are_the_textbooks(steps: int) -> None:
    cfg = config(DCGAN)
    start = build_dcgan_state(cfg, 0, CPU)
    netG, netD = textbook_networks()
    netG.load_state_dict({k.removeprefix("main."): v for k, v in start.generator.state_dict().items()})
    netD.load_state_dict({k.removeprefix("image.main."): v for k, v in start.critics.state_dict().items()})
    optimizerD = torch.optim.Adam(netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizerG = torch.optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    errors = []
    for step, (real, _) in enumerate(batches(steps)):
        noise = rng.normal((BATCH, NZ), cfg.train.seed, step, "noise").view(BATCH, NZ, 1, 1)

        netD.zero_grad()
        output = netD(real).view(-1)
        errD_real = criterion(output, torch.full((BATCH,), 1.0))
        errD_real.backward()
        fake = netG(noise)
        output = netD(fake.detach()).view(-1)
        errD_fake = criterion(output, torch.full((BATCH,), 0.0))
        errD_fake.backward()
        optimizerD.step()

        netG.zero_grad()
        output = netD(fake).view(-1)
        errG = criterion(output, torch.full((BATCH,), 1.0))
        errG.backward()
        optimizerG.step()
        errors.append((float(errD_real.detach() + errD_fake.detach()), float(errG.detach())))

    state, logs = ours(cfg, steps)
    assert [(log["loss/image_critic"], log["loss/image_generator"]) for log in logs] == [
        pytest.approx(pair, rel=1e-5) for pair in errors
    ]
    for textbook, module, prefix, before in (
        (netG, state.generator, "main.", start.generator), (netD, state.critics, "image.main.", start.critics),
    ):  # fmt: skip
        mine = module.state_dict()
        assert not torch.equal(mine[prefix + "0.weight"], before.state_dict()[prefix + "0.weight"])
        for name, expected in textbook.state_dict().items():
            # One backward pass for real and made together adds the same numbers in another order; Adam divides
            # the smallest of them by themselves.
            torch.testing.assert_close(mine[prefix + name], expected, rtol=1e-5, atol=1e-6, msg=name)


def test_the_textbooks_rates_are_the_recipes_own() -> None:
    cfg = load_config("dcgan64", [], ExperimentConfig)
    state = build_dcgan_state(cfg, 0, CPU)
    assert isinstance(cfg.model, DCGANConfig)
    assert (cfg.model.nz, cfg.model.ngf, cfg.model.ndf, cfg.data.batch) == (100, 64, 64, 128)
    for optimizer in (state.optimizer_generator, state.optimizer_critics):
        assert optimizer is not None
        assert optimizer.param_groups[0]["lr"] == 2e-4
        assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)
    weights = torch.cat([p.detach().flatten() for p in state.generator.parameters() if p.ndim == 4])
    assert float(weights.mean()) == pytest.approx(0, abs=1e-4)
    assert float(weights.std()) == pytest.approx(0.02, rel=0.01)


def grids(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "previews").iterdir())


def test_a_grid_at_the_end_of_each_pass_and_64_pictures_at_the_end(pictures: Path, tmp_path: Path) -> None:
    train(config(DCGAN), pictures, tmp_path, quiet=True)  # 10 pictures, 4 a step
    assert grids(tmp_path) == [
        "epoch_0001_step_00000003.png",
        "epoch_0002_step_00000005.png",
        "final_samples.png",
    ]
    for name in grids(tmp_path):
        assert read_frames(tmp_path / "previews" / name).frames_u8.shape == (1, 8 * 66 + 2, 8 * 66 + 2, 3)
    first, last = (read_frames(tmp_path / "previews" / grids(tmp_path)[i]).frames_u8[0] for i in (0, -1))
    tiles = [last[2 + 66 * (i // 8) :, 2 + 66 * (i % 8) :][:64, :64] for i in range(64)]
    assert len({tile.tobytes() for tile in tiles}) == 64
    assert (first != last).any()
    lines = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert load_sampler(tmp_path)[2] == ()


def test_drawing_a_grid_does_not_change_the_training(pictures: Path, tmp_path: Path) -> None:
    """The grid is drawn in training mode, where batch norm would remember what it saw."""
    for name, interval in (("often", 1), ("never", 1000)):
        train(config(DCGAN, train__preview_every_steps=interval), pictures, tmp_path / name, quiet=True)
    weights = [(tmp_path / name / "sampler.safetensors").read_bytes() for name in ("often", "never")]
    assert weights[0] == weights[1]
    assert len(grids(tmp_path / "often")) == 6


def classes_config(**changes: Any) -> ExperimentConfig:
    return config(DCGAN, model__conditional=True, **changes)


def test_classes_reach_both_networks() -> None:
    cfg = classes_config()
    state = build_dcgan_state(cfg, 3, CPU)
    before = {
        n: p.detach().clone() for m in (state.generator, state.critics) for n, p in m.named_parameters()
    }
    take_dcgan_step(state, batches(1, classes=2)[0], cfg, World())
    for module, name in ((state.generator, "embed.weight"), (state.critics, "image.embed.weight")):
        after = dict(module.named_parameters())[name]
        moved = (after != before[name]).any(dim=1)
        assert moved.tolist() == [True, True, False], "only the classes of the batch learn"
    state.generator.eval()
    state.critics.eval()
    noise = rng.normal((1, NZ), 0, "x").expand(3, -1)
    made = state.generator(noise, torch.arange(3))
    assert len({m.detach().numpy().tobytes() for m in made}) == 3
    same = made[:1].expand(3, -1, -1, -1)
    assert len(set(state.critics["image"](same, torch.arange(3)).tolist())) == 3


@pytest.fixture(scope="module")
def by_class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the class-conditional DCGAN that has seen red and blue pictures for a moment."""
    room = tmp_path_factory.mktemp("classes")
    rates = {"lr_generator": 5e-3, "lr_critic": 5e-3}
    cfg = classes_config(train__steps=60, train__save_every_steps=60, data__batch=16, optim=rates)
    train(cfg, picture_folder(room / "pictures", each=80), room / "run", quiet=True)
    return room / "run"


def test_a_class_on_request(by_class: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    means = {}
    for name in ("red", "blue"):
        assert (
            call("sample", by_class, "--count", 16, "--class", name, "--out", tmp_path / f"{name}.png") == 0
        )
        grid = read_frames(tmp_path / f"{name}.png").frames_u8[0]
        assert grid.shape == (2 * 66 + 2, 8 * 66 + 2, 3)
        means[name] = grid.mean(axis=(0, 1))
    assert capsys.readouterr().out == (
        f"{tmp_path / 'red.png'}: 16 pictures of red\n{tmp_path / 'blue.png'}: 16 pictures of blue\n"
    )
    assert means["red"][0] - means["red"][2] > means["blue"][0] - means["blue"][2] + 50


def test_samples_of_every_class_in_turn(by_class: Path, tmp_path: Path) -> None:
    for name, more in (("mixed", ()), ("again", ()), ("other", ("--seed", 1))):
        assert (
            call("sample", by_class, "--count", 64, "--out", tmp_path / f"{name}.png", "--quiet", *more) == 0
        )
    mixed = (tmp_path / "mixed.png").read_bytes()
    assert (tmp_path / "again.png").read_bytes() == mixed
    assert (tmp_path / "other.png").read_bytes() != mixed
    assert read_frames(tmp_path / "mixed.png").frames_u8.shape == (1, 530, 530, 3)
    generator, cfg, classes = load_sampler(by_class)
    assert isinstance(generator, DCGANGenerator)
    assert classes == ("blue", "red")
    assert cfg.conditional


def test_an_unknown_class_is_refused(
    by_class: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("sample", by_class, "--class", "green", "--out", tmp_path / "a.png") == 2
    assert capsys.readouterr().err == "error: --class 'green' is not one of: blue, red\n"


def test_a_stores_characters_are_its_classes(tmp_path: Path) -> None:
    store = puppet_store(tmp_path / "store", clips=3, frames=2)
    file = config_file(tmp_path / "c.yaml", DCGAN, model__conditional=True, train__steps=1)
    assert call("train", file, "--data", store.path, "--out", tmp_path / "run", "--quiet") == 0
    assert load_sampler(tmp_path / "run")[2] == store.info.characters


def test_one_picture_is_not_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = picture_folder(tmp_path / "one", ("red",), 1)
    file = config_file(tmp_path / "c.yaml", DCGAN)
    assert call("train", file, "--data", folder, "--out", tmp_path / "run", "--quiet") == 2
    assert capsys.readouterr().err == f"error: {folder}: 1 picture; the DCGAN needs at least 2\n"
