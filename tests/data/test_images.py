"""Pictures for the DCGAN: from folders and stores, in a stateless order."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from moving_dots import make_store
from PIL import Image

from temporal_gan.data.images import ImageDataset, image_batches
from temporal_gan.errors import StoreError


def folder(path: Path) -> Path:
    """Six pictures of known grey 20 n, wide and high, in two class folders, one of them nested."""
    for n in range(6):
        file = path / ("cat" if n < 4 else "dog") / ("deep" if n == 3 else "") / f"p{n + 7}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image = Image.new("RGB", (20, 12) if n % 2 else (12, 20), (20 * n, 20 * n, 20 * n))
        image.save(file)
    return path


def greys(data: ImageDataset, samples: range) -> list[int]:
    return [round((float(data[i][0].mean()) + 1) / 2 * 255 / 20) for i in samples]


def test_every_pass_shows_every_picture_once_in_another_order(tmp_path: Path) -> None:
    data = ImageDataset(folder(tmp_path), 8, 0, conditional=True)
    assert data.classes == ("cat", "dog")
    assert sorted(greys(data, range(6))) == sorted(greys(data, range(6, 12))) == [0, 1, 2, 3, 4, 5]
    assert greys(data, range(6)) != greys(data, range(6, 12))
    for index in range(12):
        image, label = data[index]
        assert image.shape == (3, 8, 8)
        assert image.dtype == torch.float32
        assert label == int(greys(data, range(index, index + 1))[0] >= 4)


def test_unconditional_has_one_label_and_takes_loose_files(tmp_path: Path) -> None:
    folder(tmp_path)
    Image.new("RGB", (9, 9)).save(tmp_path / "loose.png")
    data = ImageDataset(tmp_path, 8, 0, conditional=False)
    assert (len(data), data.classes) == (7, ())
    images, labels = next(image_batches(data, 0, 7))
    assert images.shape == (7, 3, 8, 8)
    assert labels.tolist() == [0] * 7
    with pytest.raises(StoreError, match=r"loose\.png: is in no class folder"):
        ImageDataset(tmp_path, 8, 0, conditional=True)


def test_middle_is_kept_and_alpha_is_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((10, 30, 4), np.uint8)
    pixels[:, 10:20] = (200, 0, 0, 255)
    pixels[:, 14:16, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = (ImageDataset(tmp_path, 10, 0, conditional=False)[0][0] + 1) / 2 * 255
    assert (image[0, :, [0, 1, 2, 7, 8, 9]] == 200).all()
    assert (image[:, :, 4:6] == 255).all()
    assert image[1:, :, :4].abs().max() < 1e-4


def test_half_of_the_pictures_are_mirrored(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    data = ImageDataset(tmp_path, 8, 0, conditional=False)
    left = [bool(data[i][0][0, 0, 0] > 0) for i in range(200)]
    assert 65 < sum(left) < 135  # five sigma around 100


@pytest.mark.parametrize("workers", [0, 1])
def test_broken_picture_is_named_in_one_line(tmp_path: Path, workers: int) -> None:
    folder(tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cat/broken.png")
    (tmp_path / "cat/broken.png").write_bytes((tmp_path / "cat/broken.png").read_bytes()[:300])
    batches = image_batches(ImageDataset(tmp_path, 8, 0, conditional=True), 0, 7, workers=workers)
    with pytest.raises(StoreError, match=rf"^{tmp_path}/cat/broken\.png: not a readable picture[^\n]*$"):
        next(batches)


def test_batches_resume_and_split_over_ranks(tmp_path: Path) -> None:
    data = ImageDataset(folder(tmp_path), 8, 0, conditional=True)
    whole = list(islice(image_batches(data, 0, 4), 4))
    assert torch.equal(next(image_batches(data, 3, 4))[0], whole[3][0])
    parts = [next(image_batches(data, 2, 4, rank, 2)) for rank in (0, 1)]
    assert torch.equal(torch.cat([p[0] for p in parts]), whole[2][0])
    assert torch.equal(torch.cat([p[1] for p in parts]), whole[2][1])
    assert not torch.equal(next(image_batches(ImageDataset(tmp_path, 8, 1, True), 0, 4))[0], whole[0][0])


def test_frames_of_a_store_are_pictures_too(tmp_path: Path) -> None:
    store = make_store(tmp_path / "s", lengths=(3, 2, 4), size=(16, 16))
    data = ImageDataset(store.path, 16, 0, conditional=True, quiet=True)
    assert data.classes == ("character 0", "character 1")
    assert sorted(data.labels.tolist()) == [0, 0, 0, 1, 1]  # the test clip is left out
    images, _ = next(image_batches(data, 0, 5))
    assert images.max() == 1  # transparent corners are white
    assert images.min() >= -1


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such folder"):
        ImageDataset(tmp_path / "none", 8, 0, conditional=False)
    with pytest.raises(StoreError, match="no pictures"):
        ImageDataset(tmp_path, 8, 0, conditional=False)
