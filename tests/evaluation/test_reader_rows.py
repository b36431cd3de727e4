"""From a store and a reader's file to rows: what is read, from where, what is kept, and when it is read again."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import call, puppet_store
from tiny_networks import tiny_domain, tiny_generator

from temporal_gan.batch import composite_on_white
from temporal_gan.data.store import Store
from temporal_gan.errors import UserError
from temporal_gan.evaluation.character_clips import CLIPS_EACH, CharacterClips
from temporal_gan.evaluation.clip_pairs import frames_to_tensor
from temporal_gan.evaluation.edits import NAMES, NEEDS_RUN, other_expression
from temporal_gan.evaluation.pairing import RunPairs, pair_files
from temporal_gan.evaluation.protocols import PROTOCOLS
from temporal_gan.evaluation.reader_measurement import CLIP_METRICS
from temporal_gan.evaluation.reader_metrics import POOLED_METRICS, READER_METRICS
from temporal_gan.evaluation.reader_tool import ReaderTool
from temporal_gan.evaluation.report import write_report
from temporal_gan.evaluation.results import Results
from temporal_gan.evaluation.run import EvaluationOptions, evaluate
from temporal_gan.expressions import CLASSES
from temporal_gan.inference.animator import Animator
from temporal_gan.inference.weights_file import save_animator
from temporal_gan.models import reader_file
from temporal_gan.models.reader import FACE_JOINTS, Reader, ReaderConfig
from temporal_gan.models.reader_file import load_reader, reader_sha256, save_reader

CLIPS = PROTOCOLS["clips_v1"]
BARE = dataclasses.replace(CLIPS, anchors=())
"""The anchors would only cost time."""


def write_reader(path: Path, seed: int) -> Path:
    """An untrained reader: what it sees means nothing, and it is the same every time."""
    torch.manual_seed(seed)
    reader = Reader(ReaderConfig(width=8, features=8, identity=8)).eval()
    # Untrained, every joint has a confidence of about a half; here some are seen, some are not, a face always is.
    torch.nn.init.normal_(reader.seen.bias, 0.0, 3.0)
    reader.seen.bias.data[list(FACE_JOINTS)] = 9.0
    # What all pictures share would be the whole identity vector.
    page = reader.read_pose(torch.ones(1, 3, 32, 32)).identity[0].detach()
    reader.identity.weight.data -= page[:, None] * (page @ reader.identity.weight.data)
    reader.identity.bias.data -= page * (page @ reader.identity.bias.data)
    save_reader(path, reader, {})
    return path


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reader(tmp_path_factory.mktemp("reader") / "reader.safetensors", 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return puppet_store(tmp_path_factory.mktemp("data") / "store", clips=6, frames=5, size=32)


@pytest.fixture(scope="module")
def animator(store: Store) -> Animator:
    """Untrained, of the store's own characters and expressions."""
    domain = tiny_domain(
        characters=store.info.characters, expressions=store.info.expressions, channels=4, fps=store.info.fps
    )
    return Animator(tiny_generator(domain), {}, torch.device("cpu"))


def rows(results: Results) -> dict[str, Any]:
    return {metric.name: results.metric(metric.name)["value"] for metric in READER_METRICS}


def test_a_store_against_itself_reads_the_same_twice(store: Store, reader: Path) -> None:
    results = evaluate(pair_files(store.path, store.path, "train"), CLIPS, reader=reader)
    for clip in results.clips:
        assert set(clip.made.values) | set(clip.made.reasons) >= set(CLIP_METRICS)
        assert not set(clip.made.values) & set(clip.made.reasons)
        for name in NAMES:
            assert clip.made.reasons[name] == NEEDS_RUN
    entry = results.metric("reader_pck@0.1")
    assert entry["weights_sha256"] == reader_sha256(reader)
    assert entry["against"] == {"labels": len(results.clips)}
    table = results.metric("expression_accuracy")["confusion"]
    assert sum(map(sum, table["commanded_by_read"])) > 0  # type: ignore[index]
    assert results.metric("subject_consistency")["motion_ratio"] == pytest.approx(1)
    assert results.protocol_dict()["weights"]["reader"] == reader_sha256(reader)  # type: ignore[index]
    # One frame shown over and over is the same character throughout, and follows no command.
    frozen = results.anchor_values()["copy_first_frame"]
    assert frozen["subject_consistency"] == pytest.approx(1)
    assert frozen["expression_intensity_correlation"] in (0, None)
    for name in POOLED_METRICS[1:]:
        assert "64 frames or more" in str(results.metric(name)["reason"])


def test_without_labels_made_and_real_readings_agree_where_the_clips_do(store: Store, reader: Path) -> None:
    pairs = list(pair_files(store.path, store.path, "train"))
    for pair in pairs:
        object.__setattr__(pair, "skeleton", None)
    results = evaluate(pairs, BARE, reader=reader)
    assert results.metric("reader_pck@0.05")["value"] == 1
    assert results.metric("reader_keypoint_distance")["value"] == 0
    assert results.metric("reader_pck@0.05")["against"] == {"reading": len(pairs)}


def test_order_and_company_change_no_row(store: Store, reader: Path) -> None:
    pairs = list(pair_files(store.path, store.path, "train"))
    together = {c.clip_id: c.made.values for c in evaluate(pairs, BARE, reader=reader).clips}
    backwards = {c.clip_id: c.made.values for c in evaluate(pairs[::-1], BARE, reader=reader).clips}
    assert together == backwards
    assert evaluate(pairs[1:2], BARE, reader=reader).clips[0].made.values == together[pairs[1].clip_id]


def test_identity_comes_from_other_clips_of_the_character_and_from_training_first(tmp_path: Path) -> None:
    store = puppet_store(tmp_path / "s", clips=16, frames=1, size=16)
    characters = CharacterClips(store)
    train = {row.id for row in store.split("train")}
    for row in store.clips:
        others = characters.others(row.id, row.character)
        same = [r.id for r in store.clips if r.character == row.character and r.id != row.id]
        assert row.id not in others
        assert set(others) <= set(same)
        assert len(others) == min(CLIPS_EACH, len(same))
        assert sum(name in train for name in others) == min(CLIPS_EACH, len(train & set(same)))
    assert characters.others("nobody", "a stranger") == ()


def test_the_scored_clip_never_stands_for_its_own_character(store: Store, reader: Path) -> None:
    results = evaluate(pair_files(store.path, store.path, "train"), BARE, reader=reader)
    tool, characters = ReaderTool(load_reader(reader)), CharacterClips(store)
    for clip in results.clips:
        others = characters.others(clip.clip_id, clip.character)
        video = composite_on_white(frames_to_tensor(store.frames(clip.clip_id)))
        centre = torch.nn.functional.normalize(tool.identity(store, others).mean(dim=0), dim=0)
        expected = float((tool.read(video).identity @ centre).mean())
        assert clip.made.values["identity_consistency"] == pytest.approx(expected, abs=1e-5)


def test_a_missing_copy_leaves_reasons_and_a_missing_file_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_file, "__file__", str(tmp_path / "models" / "reader_file.py"))
    results = evaluate(pair_files(store.path, store.path), BARE)
    assert set(rows(results).values()) == {None}
    for metric in READER_METRICS:
        assert "this copy of the reader is missing" in str(results.metric(metric.name)["reason"])
    assert results.protocol_dict()["weights"]["reader"] is None  # type: ignore[index]
    with pytest.raises(UserError, match="neither a file"):
        evaluate(pair_files(store.path, store.path), BARE, reader=tmp_path / "nothing.safetensors")


def test_the_copy_for_losses_is_warned_of(
    store: Store, reader: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "readers"
    copies.mkdir()
    (copies / "loss.safetensors").write_bytes(reader.read_bytes())
    write_reader(copies / "metrics.safetensors", 1)
    monkeypatch.setattr(reader_file, "__file__", str(tmp_path / "models" / "reader_file.py"))
    for name, warned in (("loss", True), ("metrics", False)):
        results = evaluate(
            pair_files(store.path, store.path),
            dataclasses.replace(PROTOCOLS["frames_v1"], anchors=()),
            reader=name,
        )
        assert results.metric("reader_pck@0.1")["weights_sha256"] == reader_sha256(name)
        write_report(results, tmp_path / "report.html")
        assert ("the copy that training may be against" in (tmp_path / "report.html").read_text()) == warned


def test_another_reader_never_uses_old_rows(store: Store, reader: Path, tmp_path: Path) -> None:
    options = EvaluationOptions(journal=tmp_path / "clips.jsonl")
    pairs = pair_files(store.path, store.path)
    first = evaluate(pairs, BARE, options=options, reader=reader)
    lines = (tmp_path / "clips.jsonl").read_bytes().count(b"\n")
    again = evaluate(pairs, BARE, options=options, reader=reader)
    assert (tmp_path / "clips.jsonl").read_bytes().count(b"\n") == lines == len(pairs)
    assert json.dumps(again.to_dict()) == json.dumps(first.to_dict())
    other = evaluate(pairs, BARE, options=options, reader=write_reader(tmp_path / "other", 1))
    assert (tmp_path / "clips.jsonl").read_bytes().count(b"\n") == 2 * lines
    assert (
        other.metric("reader_keypoint_distance")["value"] != first.metric("reader_keypoint_distance")["value"]
    )


def test_a_run_is_made_again_with_other_commands(
    store: Store, animator: Animator, reader: Path, tmp_path: Path
) -> None:
    pairs = RunPairs(animator, store, "train")
    results = evaluate(pairs, BARE, reader=reader)
    for name in NAMES:
        entry = results.metric(name)
        assert entry["clips"] == len(pairs), (name, entry.get("reason"))
        assert entry["value"] > 0  # type: ignore[operator]
    for row in pairs.rows:
        other = other_expression(pairs, row.id)
        assert other is not None
        commanded = store.labels(row.id).expression[:, : len(CLASSES)].sum(axis=0)
        assert set(other[:, : len(CLASSES)].argmax(axis=1)) == {(commanded.argmax() + 1) % len(CLASSES)}
    values = {clip.clip_id: clip.made.values for clip in results.clips}
    again = evaluate(RunPairs(animator, Store.open(store.path), "train"), BARE, reader=reader)
    assert {clip.clip_id: clip.made.values for clip in again.clips} == values


def test_a_run_that_ignores_expressions_leaks_nothing_from_them(store: Store, reader: Path) -> None:
    domain = tiny_domain(
        characters=store.info.characters, expressions=store.info.expressions, channels=4, fps=store.info.fps
    )
    # Its weights are asleep: the last layer is zero, and every command gives the same picture.
    deaf = Animator(tiny_generator(domain, awake=False), {}, torch.device("cpu"))
    results = evaluate(RunPairs(deaf, store, "train"), BARE, reader=reader)
    for name in NAMES[:2]:
        assert results.metric(name)["value"] == 0


def test_the_command_takes_a_reader(store: Store, reader: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("evaluate", store.path, store.path, "--out", out, "--quiet", "--reader", reader)
    assert call(*command) == 0
    found = {m["name"]: m for m in json.loads((out / "results.json").read_text())["metrics"]}
    assert found["reader_pck@0.1"]["value"] is not None
    page = (out / "report.html").read_text()
    assert f"--reader {reader}" in page
    assert "Pose, read by a network" in page


@pytest.mark.slow
def test_the_number_of_processes_changes_no_byte(
    store: Store, animator: Animator, reader: Path, tmp_path: Path
) -> None:
    run = tmp_path / "animator.safetensors"
    save_animator(run, animator.generator, {})
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        command = ("evaluate", run, store.path, "--split", "train", "--out", out, "--quiet")
        assert call(*command, "--reader", reader, "--workers", workers) == 0
    assert (tmp_path / "out1" / "results.json").read_bytes() == (
        tmp_path / "out2" / "results.json"
    ).read_bytes()
