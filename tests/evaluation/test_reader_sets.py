"""Sets of puppet clips through tiny untrained readers: values are checked against the functions themselves."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_runs import call
from torch import Tensor

from temporal_gan.batch import composite_on_white
from temporal_gan.data.store import Store
from temporal_gan.evaluation.anchors import shuffled_order
from temporal_gan.evaluation.clip_pairs import frames_to_tensor
from temporal_gan.evaluation.clip_sets import ClipSet, SetClip
from temporal_gan.evaluation.protocols import SET_PROTOCOLS, SetProtocol
from temporal_gan.evaluation.report import write_report
from temporal_gan.evaluation.report_warnings import BLIND_TO_MOTION, TRAINED_AGAINST
from temporal_gan.evaluation.run import EvaluationOptions
from temporal_gan.evaluation.set_features import pose_and_expression, reader_window, window_vector
from temporal_gan.evaluation.set_results import SetResults
from temporal_gan.evaluation.set_run import evaluate_sets
from temporal_gan.features import equispaced
from temporal_gan.metrics.frechet import frechet_distance
from temporal_gan.metrics.pose import keypoint_box_side
from temporal_gan.metrics.pose_distribution import diversity, mode_coverage, pose_motion_features
from temporal_gan.models.reader import Reader, ReaderConfig, read_video
from temporal_gan.models.reader_file import find_reader, load_reader, reader_sha256, save_reader
from temporal_gan.puppet import PuppetSpec, random_specs, render_clip
from temporal_gan.puppet.dataset import write_puppet_store

FRAMES, COUNT = 10, 6
PICTURES = dataclasses.replace(
    SET_PROTOCOLS["reader_images2048_v1"], fewest=4 * COUNT, subset_size=8, subsets=4, parts=2, draws=19
)
CLIPS = dataclasses.replace(
    SET_PROTOCOLS["reader_clips512_16f_v1"], fewest=COUNT, window=8, parts=2, draws=19
)
BOTH = pytest.mark.parametrize("protocol", [PICTURES, CLIPS], ids=["pictures", "clips"])


def tiny_reader(path: Path, seed: int) -> Path:
    """Untrained; centred on what it sees in some puppets, so that its features differ between pictures."""
    torch.manual_seed(seed)
    reader = Reader(ReaderConfig(width=8, features=8, identity=8))
    clips = [
        render_clip(PuppetSpec("hana", motion, "happy", 0, frames=8, size=32)) for motion in ("jump", "bow")
    ]
    frames = composite_on_white(torch.cat([frames_to_tensor(clip.video) for clip in clips]))
    # In training, batch norm takes over the statistics of what passes.
    reader.train()
    with torch.no_grad():
        for _ in range(30):
            reader(frames)
    reader.eval()
    seen: list[Tensor] = []
    with torch.no_grad():
        hooks = [
            layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].mean(dim=0)))
            for layer in (reader.classes, reader.features[0])
        ]
        reader(frames)
        for hook in hooks:
            hook.remove()
        for layer, mean in zip((reader.features[0], reader.classes), seen, strict=True):
            layer.bias.copy_(-layer.weight @ mean)
        reader.heat.weight.mul_(20)
        reader.seen.bias.fill_(2.0)
        reader.features[2].bias.zero_()
    save_reader(path, reader, {})
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_reader(tmp_path_factory.mktemp("reader") / "a.safetensors", 0)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """Waving and walking."""
    path = tmp_path_factory.mktemp("stores")
    made = []
    for seed, motion in enumerate(("wave", "walk")):
        specs = random_specs(COUNT, seed, ("hana", "miko"), (motion,), None, frames=FRAMES, size=32)
        made.append(write_puppet_store(path / motion, specs, seed, "none", quiet=True))
    return made[0], made[1]


def clips_of(store: Store, names: list[str] | None = None) -> ClipSet:
    return ClipSet({name: (store, name) for name in names or [row.id for row in store.clips]})


@pytest.fixture(scope="module")
def pair(stores: tuple[Store, Store]) -> tuple[ClipSet, ClipSet]:
    return clips_of(stores[0]), clips_of(stores[1])


def value(results: SetResults, name: str) -> float:
    found = results.metric(name)["value"]
    assert isinstance(found, float), results.metric(name)
    return found


@BOTH
def test_equal_sets_are_at_distance_0_and_distances_do_not_know_which_set_is_which(
    pair: tuple[ClipSet, ClipSet], file: Path, protocol: SetProtocol
) -> None:
    made, real = pair
    same = evaluate_sets(real, real, protocol, weights=file)
    ahead, back = (evaluate_sets(*sets, protocol, weights=file) for sets in ((made, real), (real, made)))
    names = [metric.name for metric in same.definitions]
    for name in names:
        if name.startswith(("reader_f", "pose_motion_distance")) and not name.endswith("_of_halves"):
            assert value(same, name) == pytest.approx(0, abs=1e-6)
            assert value(ahead, name) > 1e-3
            assert value(ahead, name) == pytest.approx(value(back, name), rel=1e-6)
        elif "kernel" in name:
            # Unbiased: equal sets lie below 0, because a vector's distance to itself is left out.
            assert value(same, name) <= 1e-9
            assert same.metric(name)["p_value"] == 1
            assert value(ahead, name) == pytest.approx(value(back, name), rel=1e-6)
    if protocol is PICTURES:
        assert value(same, "reader_precision") == value(same, "reader_recall") == 1
        assert value(same, "mode_coverage") == 1
        assert value(same, "mode_overlap") == pytest.approx(1)
        assert value(same, "diversity") == value(same, "diversity_real") > 0
        assert value(ahead, "reader_recall") == value(back, "reader_precision")


def test_values_are_those_of_the_functions_on_features_taken_by_hand(
    stores: tuple[Store, Store], pair: tuple[ClipSet, ClipSet], file: Path
) -> None:
    reader = load_reader(file)
    features, modes, moments, motions = [], [], [], []
    for store in stores:
        videos = [frames_to_tensor(store.frames(row.id)) for row in store.clips]
        videos = [composite_on_white(video) for video in videos]
        read = [read_video(reader, v[equispaced(FRAMES, 4)]) for v in videos]
        features.append(
            torch.cat([8**0.5 * r.features / r.features.norm(dim=-1, keepdim=True) for r in read])
        )
        sure = torch.cat([r.face > 0.5 for r in read])
        modes.append(torch.cat([r.expression[:, :8].argmax(-1) for r in read])[sure].numpy())
        vectors, joints = [], []
        # A window as long as the clip has but one place.
        for row, video in zip(store.clips, videos, strict=True):
            whole = read_video(reader, video)
            unit = 8**0.5 * whole.features / whole.features.norm(dim=-1, keepdim=True)
            vectors.append(window_vector(unit))
            points, found = 32 * whole.keypoints[None], whole.confidence[None] > 0.25
            side = keypoint_box_side(points, found)
            joints.append(pose_motion_features(points, found, side, row.fps or store.info.fps, FRAMES)[0])
        moments.append(torch.stack(vectors))
        motions.append(torch.stack(joints))
    assert len(modes[0])
    pictures = evaluate_sets(*pair, PICTURES, weights=file)
    assert value(pictures, "reader_fid") == pytest.approx(frechet_distance(*features), rel=1e-4)
    assert value(pictures, "diversity") == pytest.approx(diversity(features[0]), rel=1e-4)
    assert value(pictures, "diversity_real") == pytest.approx(diversity(features[1]), rel=1e-4)
    found = value(pictures, "mode_coverage"), value(pictures, "mode_overlap")
    assert found == pytest.approx(mode_coverage(*modes))
    clips = evaluate_sets(*pair, dataclasses.replace(CLIPS, window=FRAMES), weights=file)
    assert value(clips, "reader_fvd") == pytest.approx(frechet_distance(*moments), rel=1e-4)
    assert value(clips, "pose_motion_distance") == pytest.approx(frechet_distance(*motions), rel=1e-4)
    assert clips.protocol_dict()["weights"] == {"reader": reader_sha256(file)}


def test_frozen_and_shuffled_clips_are_far(pair: tuple[ClipSet, ClipSet], file: Path) -> None:
    anchors = evaluate_sets(pair[1], pair[1], CLIPS, weights=file).anchor_values()
    for name in ("copy_first_frame", "shuffled"):
        for metric in ("reader_fvd", "pose_motion_distance"):
            far = anchors[name][metric]
            assert far is not None
            assert far > 1e-3, (name, metric)
    pictures = evaluate_sets(pair[1], pair[1], PICTURES, weights=file).anchor_values()
    assert pictures["copy_first_frame"]["reader_fid"] > 1e-4  # type: ignore[operator]
    assert pictures["blank_page"]["reader_recall"] == 0
    assert pictures["blank_page"]["mode_coverage"] is None
    assert pictures["real_halves"]["reader_fid_of_halves"] > 0  # type: ignore[operator]
    assert pictures["real_halves"]["mode_overlap"] is not None


def test_an_anchor_is_what_a_reader_sees_in_those_frames(pair: tuple[ClipSet, ClipSet], file: Path) -> None:
    """Readings in another order stand for a second reading of the frames in that order."""
    reader, name = load_reader(file), min(pair[1].clips)
    clip = pair[1].read(name, real=True)
    protocol = dataclasses.replace(CLIPS, window=FRAMES)
    found = reader_window(reader, clip, protocol)
    order = torch.from_numpy(shuffled_order(FRAMES, protocol.seed, name))
    for anchor, video in (
        ("copy_first_frame", clip.video[:1].repeat(FRAMES, 1, 1, 1)),
        ("shuffled", clip.video[order]),
    ):
        again = reader_window(reader, SetClip(name, video, clip.fps, real=False), protocol)
        np.testing.assert_allclose(found[anchor], again["pool"], atol=1e-4)
        np.testing.assert_allclose(found[f"{anchor}/motion"], again["motion"], atol=1e-4)
    assert set(again) == {"pool", "motion"}


def test_a_window_is_told_by_its_mean_its_speed_and_its_turns() -> None:
    ramp = torch.arange(5.0)[:, None] * torch.tensor([1.0, -2.0])
    assert window_vector(ramp).tolist() == [2, -4, 1, 2, 0, 0]
    there_and_back = torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    assert window_vector(there_and_back).tolist() == [0.5, 1, 2]
    still = window_vector(ramp[:1].expand(5, 2))
    assert still[2:].abs().max() == 0


def test_the_length_of_a_feature_vector_says_nothing() -> None:
    features = torch.tensor([[3.0, 4.0], [6.0, 8.0]])
    unit = pose_and_expression(features)
    assert torch.equal(unit[0], unit[1])
    assert unit[0].square().mean() == pytest.approx(1)


@BOTH
def test_the_order_of_the_clips_changes_nothing(
    pair: tuple[ClipSet, ClipSet], file: Path, protocol: SetProtocol
) -> None:
    once = evaluate_sets(*pair, protocol, weights=file)
    turned = [ClipSet(dict(reversed(clips.clips.items()))) for clips in pair]
    again = evaluate_sets(*turned, protocol, weights=file)
    assert json.dumps(again.to_dict()) == json.dumps(once.to_dict())


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(pair: tuple[ClipSet, ClipSet], file: Path) -> None:
    once, two = (evaluate_sets(*pair, CLIPS, weights=file, options=EvaluationOptions(n)) for n in (1, 2))
    assert json.dumps(two.to_dict()) == json.dumps(once.to_dict())


@BOTH
def test_too_few_clips_are_null_and_never_silently_fewer(
    stores: tuple[Store, Store],
    pair: tuple[ClipSet, ClipSet],
    file: Path,
    protocol: SetProtocol,
    tmp_path: Path,
) -> None:
    few = clips_of(stores[0], [row.id for row in stores[0].clips][:4])
    found = evaluate_sets(few, pair[1], protocol, weights=file)
    vectors = 16 if protocol is PICTURES else 4
    for metric in found.definitions:
        if "fid" in metric.name or "fvd" in metric.name or "pose_motion" in metric.name:
            entry = found.metric(metric.name)
            assert entry["value"] is None
            assert f"of each set, got {vectors} made and {protocol.fewest} real" in str(entry["reason"])
    # Clips shorter than a window give nothing, and are counted.
    if protocol is CLIPS:
        long = dataclasses.replace(CLIPS, window=FRAMES + 1)
        short = evaluate_sets(few, pair[1], long, weights=file)
        assert short.counts()["real"] == {"clips": 0, "vectors": 0, "too_short": COUNT}
        assert "are too short" in str(short.metric("reader_video_kernel_distance")["reason"])
    found.write(tmp_path / "results.json")
    json.loads((tmp_path / "results.json").read_text())


@pytest.mark.slow
@BOTH
def test_a_repeat_reads_every_vector_back_and_another_reader_none(
    pair: tuple[ClipSet, ClipSet], file: Path, protocol: SetProtocol, tmp_path: Path
) -> None:
    options = EvaluationOptions(journal=tmp_path / "features.jsonl")
    first = json.dumps(evaluate_sets(*pair, protocol, weights=file, options=options).to_dict())
    whole = (tmp_path / "features.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    # A kill in the middle of the ninth line.
    (tmp_path / "features.jsonl").write_bytes(b"".join(lines[:8]) + lines[8][:40])
    assert json.dumps(evaluate_sets(*pair, protocol, weights=file, options=options).to_dict()) == first
    assert (tmp_path / "features.jsonl").read_bytes() == whole
    other = tiny_reader(tmp_path / "b.safetensors", 1)
    swapped = evaluate_sets(*pair, protocol, weights=other, options=options)
    alone = evaluate_sets(*pair, protocol, weights=other)
    assert json.dumps(swapped.to_dict()) == json.dumps(alone.to_dict()) != first
    assert swapped.protocol_dict()["weights"] == {"reader": reader_sha256(other)}
    assert len((tmp_path / "features.jsonl").read_bytes().splitlines()) == 2 * len(lines)


def test_the_command_names_its_reader_and_says_what_it_lacks(
    stores: tuple[Store, Store], file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, real = (store.path for store in stores)
    out = tmp_path / "out"
    name = "reader_images2048_v1"
    asked = ("evaluate", made, real, "--protocol", name, "--split", "train", "--out", out, "--quiet")
    assert call(*asked, "--reader", file) == 0
    content = json.loads((out / "results.json").read_text())
    assert content["protocol"]["weights"] == {"reader": reader_sha256(file)}
    found = {metric["name"]: metric for metric in content["metrics"]}
    assert found["reader_fid"]["value"] is None
    assert found["reader_fid"]["reason"].startswith(f"{name} takes 2048 frames of each set, got")
    assert found["reader_kernel_distance"]["value"] > 0
    assert f"--reader {file}" in (out / "report.html").read_text()
    capsys.readouterr()
    assert call(*asked, "--reader", tmp_path / "nowhere") == 2
    assert (
        "neither a file, nor a run with reader.safetensors, nor one of: metrics, loss"
        in capsys.readouterr().err
    )
    pictures = ("evaluate", made, real, "--protocol", "images2048_v1", "--out", out, "--quiet")
    assert call(*pictures, "--reader", file) == 2
    assert "leave --reader out" in capsys.readouterr().err


@pytest.mark.skipif(find_reader("metrics").is_file(), reason="the reader is there")
def test_without_the_reader_every_value_is_null_with_the_reason(pair: tuple[ClipSet, ClipSet]) -> None:
    found = evaluate_sets(*pair, CLIPS)
    for entry in found.to_dict()["metrics"]:  # type: ignore[attr-defined]
        assert entry["value"] is None
        assert "metrics.safetensors" in entry["reason"]


def test_the_report_warns_of_what_a_frozen_clip_can_win(
    pair: tuple[ClipSet, ClipSet], file: Path, tmp_path: Path
) -> None:
    for protocol, blind in ((PICTURES, True), (CLIPS, False)):
        write_report(evaluate_sets(*pair, protocol, weights=file), tmp_path / "report.html")
        page = (tmp_path / "report.html").read_text()
        assert (BLIND_TO_MOTION in page) is blind
        assert TRAINED_AGAINST not in page


@pytest.mark.skipif(not find_reader("loss").is_file(), reason="the reader is not there")
def test_the_report_warns_of_the_reader_that_models_are_trained_against(
    pair: tuple[ClipSet, ClipSet], tmp_path: Path
) -> None:
    found = evaluate_sets(*pair, dataclasses.replace(CLIPS, fewest=4), weights=find_reader("loss"))
    write_report(found, tmp_path / "report.html")
    assert "the copy that training may be against" in (tmp_path / "report.html").read_text()
