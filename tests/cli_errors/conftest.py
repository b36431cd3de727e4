"""What every test of a user's mistake needs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import CLIP_GAN, call, config, config_file, puppet_store

from temporal_gan.training.run import train


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``store``, ``run`` and ``c.yaml``; not to be changed."""
    room = tmp_path_factory.mktemp("room")
    store = puppet_store(room / "store", clips=3, frames=4)
    config_file(room / "c.yaml", CLIP_GAN, train__steps=1)
    train(config(CLIP_GAN, train__steps=1), store.path, room / "run", quiet=True)
    return room


@pytest.fixture
def mistake(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must fail as a user's mistake does; returns the line."""

    def run(*arguments: object, command: Callable[..., int] = call) -> str:
        capfd.readouterr()
        code = command(*arguments)
        said = capfd.readouterr()
        assert code == 2, said.err
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert said.err.endswith("\n")
        assert "Traceback" not in said.err
        assert said.out == ""
        return said.err.removeprefix("error: ").rstrip("\n")

    return run
