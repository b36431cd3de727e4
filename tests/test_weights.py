"""Weights files: the one line a user reads when a file is missing, wrong or damaged."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from temporal_gan.errors import CheckpointError
from temporal_gan.features import load_i3d, load_lpips
from temporal_gan.weights import ALEXNET, FOLDER_VARIABLE, I3D, INCEPTION, find_weights, sha256_of_weights


@pytest.mark.parametrize("published", [INCEPTION, ALEXNET, I3D])
def test_a_missing_file_says_what_where_from_and_where_to_put_it(
    published: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        find_weights(published)
    line = str(caught.value)
    assert "\n" not in line
    for part in (published.purpose, published.source, published.sha256, str(tmp_path / published.file)):
        assert part in line


def test_the_folder_takes_only_the_published_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    file = tmp_path / ALEXNET.file
    file.write_bytes(b"not the network")
    with pytest.raises(CheckpointError, match="expected 7be5be79"):
        find_weights(ALEXNET)
    honest = replace(ALEXNET, sha256=sha256_of_weights(file)[:8])
    assert find_weights(honest) == file


def test_a_file_given_by_path_is_taken_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.pt"
    with pytest.raises(CheckpointError, match="no weights file .*mine.pt; get it from https"):
        find_weights(I3D, file)
    file.write_bytes(b"x")
    assert find_weights(I3D, file) == file


def test_damaged_and_foreign_files_are_one_line(tmp_path: Path) -> None:
    damaged, foreign, pickled = (tmp_path / name for name in ("damaged.pt", "foreign.pt", "pickled.pt"))
    damaged.write_bytes(b"PK" + bytes(100))
    torch.save({"features.0.weight": torch.zeros(3)}, foreign)
    torch.save({"config": pytest.raises}, pickled)
    for file, message in ((damaged, "not a state dict"), (foreign, "lacks"), (pickled, "not a state dict")):
        for load in (load_i3d, load_lpips):
            with pytest.raises(CheckpointError, match=message) as caught:
                load(file)
            assert "\n" not in str(caught.value)
            assert str(file) in str(caught.value)
