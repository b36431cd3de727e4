"""Few-shot curves: slices of training that add up, scored against the drawings as they were drawn."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from few_shot_curves import (
    ARMS,
    COLUMNS,
    FLOORS,
    Schedule,
    curve_table,
    draw_curves,
    fitted,
    main,
    mean_scores,
    real_pictures,
    summary_table,
    train_arm,
    warped_pictures,
)
from small_runs import CLIP_GAN, config_file

from preprocessing.importers.charactergan import import_charactergan
from temporal_gan.config import load_config
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.experiment import ExperimentConfig
from temporal_gan.video_io import write_frames

mpl.use("Agg")
SIDE = 40


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red stick that leans more in each of four drawings."""
    folder = tmp_path_factory.mktemp("stick")
    rows = []
    for number, lean in enumerate((-9, -3, 3, 9)):
        picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
        for y in range(8, 33):
            x = round(20 + lean * (32 - y) / 24)
            picture[y, x - 2 : x + 3] = (220, 40 + 5 * y, 30)
        write_frames(folder / f"{number}.png", picture[None], 1.0)
        rows += [f"hip,20,32,{number}.png", f"head,{20 + lean},8,{number}.png"]
    (folder / "keypoints.csv").write_text("\n".join(rows))
    (folder / "keypoints_skeleton.csv").write_text("hip,head\nhead,hip\n")
    (folder / "keypoints_layers.csv").write_text("hip,0\nhead,0\n")
    return folder


@pytest.fixture(scope="module")
def store(drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("stores") / "store"
    import_charactergan(drawings, path, ["1.png"])
    return Store.open(path)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("recipe") / "few.yaml"
    off = {"critics__clip__weight": 0.0, "losses__flow_weight": 0.0, "data__frames": 1}
    return str(config_file(path, CLIP_GAN, model__references=2, **off))


def test_slices_add_up_and_are_not_trained_twice(
    drawings: Path, store: Store, recipe: str, tmp_path: Path
) -> None:
    real = real_pictures(drawings, store)
    assert list(real) == ["1"]
    arm, run, schedule = ARMS["from scratch"], tmp_path / "run", Schedule(0.002, 0.001)
    curve = train_arm(list(arm.changes), recipe, None, store, real, run, schedule)
    assert [row["minutes"] for row in curve] == [0.001, 0.002]
    assert 0 < curve[0]["steps"] < curve[1]["steps"]
    assert all(np.isfinite(row[name]) for row in curve for name in COLUMNS)
    assert train_arm(list(arm.changes), recipe, None, store, real, run, schedule) == curve
    longer = train_arm(list(arm.changes), recipe, None, store, real, run, Schedule(0.003, 0.001))
    assert longer[:2] == curve
    assert longer[2]["steps"] > curve[1]["steps"]

    floors = {name: mean_scores(made, real) for name, made in warped_pictures(store, real).items()}
    assert list(floors) == list(FLOORS)
    # A stick is one limb: turned, it is the held-out stick but for its pixels' edges.
    assert floors["bare warp"]["psnr"] > 18
    draw_curves({"from scratch": curve}, floors, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
    assert len(curve_table(curve).splitlines()) == 2 + len(curve)
    last = summary_table({"from scratch": curve[-1]}, floors).splitlines()[-2]
    assert last.startswith("| bare warp |")
    assert last.endswith("| +0.00 | +0.000 |")


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("recipe", ["drawings256", "fewshot256"])
def test_every_arm_is_a_valid_change_of_a_recipe(arm: str, recipe: str) -> None:
    config = load_config(recipe, list(ARMS[arm].changes), ExperimentConfig)
    assert (config.model.references == 0) == (arm == "without references")


def test_a_perfect_picture_and_a_worse_one() -> None:
    real = torch.ones(1, 3, 32, 32)
    real[..., 8:24, 8:24] = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    spoiled = real.clone()
    spoiled[..., 12:20, 12:20] = 0.5
    perfect, worse = (mean_scores({"a": made}, {"a": real}) for made in (real, spoiled))
    assert perfect["psnr"] == perfect["figure_psnr"] == 100
    assert perfect["ssim"] == pytest.approx(1)
    assert worse["figure_psnr"] < worse["psnr"] < 30
    # A page that is not plain: the union is the whole page, the real silhouette is not.
    page = torch.where(torch.nn.functional.pad(torch.ones(1, 1, 16, 16), (8,) * 4) > 0, real, 0.9)
    page[..., 0, :] = page[..., -1, :] = page[..., :, 0] = page[..., :, -1] = 0.8
    found = mean_scores({"a": page}, {"a": real})
    assert found["figure_psnr"] == 100
    assert found["foreground_psnr"] < 35


def test_padding_and_alpha_are_taken_off() -> None:
    made = torch.zeros(1, 4, 48, 48)
    made[:, :, 4:44, 4:44] = torch.rand(4, 40, 40, generator=torch.Generator().manual_seed(0))
    made[:, :3] *= made[:, 3:]
    found = fitted(made, torch.ones(1, 3, 40, 40))
    inner = made[..., 4:44, 4:44]
    assert torch.allclose(found, (inner[:, :3] + 1 - inner[:, 3:]).clamp(0, 1), atol=0.005)


def test_mistakes_are_said(
    drawings: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="longer than --minutes"):
        Schedule(1, 5).stops()
    write_frames(tmp_path / "other" / "9.png", np.zeros((1, 8, 8, 3), np.uint8), 1.0)
    for name in ("keypoints_skeleton.csv", "keypoints_layers.csv"):
        (tmp_path / "other" / name).write_text((drawings / name).read_text())
    (tmp_path / "other" / "keypoints.csv").write_text("hip,1,1,9.png\nhead,2,2,9.png")
    with pytest.raises(UserError, match=r"1\.png"):
        real_pictures(tmp_path / "other", store)
    inside = Path(__file__).parent / "curves"
    for arguments, said in (
        (["--out", str(inside), "--hold-out", "1.png"], "repository"),
        (["--out", str(tmp_path)], "--hold-out"),
    ):
        monkeypatch.setattr("sys.argv", ["few_shot_curves.py", "--drawings", str(drawings), *arguments])
        with pytest.raises(UserError, match=said):
            main()
