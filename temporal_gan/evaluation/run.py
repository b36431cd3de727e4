"""Score made clips against real ones under a protocol, with anchors by the same code."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..batch import composite_on_white
from ..errors import CheckpointError, UserError
from ..features import equispaced
from ..models.reader_file import find_reader, reader_sha256
from ..weights import ALEXNET, find_weights, sha256_of_weights
from .anchors import NearestFrames
from .clip_pairs import resize_clip
from .clip_results import ClipResult, FailedClip
from .edits import EDITED_CLIPS, Edits
from .journal import Journal, row_key
from .pairing import FilePairs, RunPairs
from .pictures import ShownClip, show_clip
from .process_pool import do_all, one_thread
from .protocols import Protocol
from .results import Results, versions
from .scoring import Pairs, Scorer

SHOWN_EACH_WAY = 4
"""How many of the worst, and how many of the best clips the report shows."""

Progress = Callable[[int, str], None]


@dataclass(frozen=True)
class EvaluationOptions:
    """What changes how an evaluation runs, and none of its numbers.

    Attributes:
        workers: processes that score.
        journal: file that finished clips are written to and read from, or None. Only for runs and files: lists of
            clips in memory have no name to know them by.
    """

    workers: int = 1
    journal: Path | None = None


def evaluate(
    pairs: Pairs,
    protocol: Protocol,
    progress: Progress | None = None,
    nearest_training_frame: NearestFrames | None = None,
    lpips: Path | None = None,
    split: str = "",
    options: EvaluationOptions = EvaluationOptions(),
    reader: str | Path = "metrics",
) -> Results:
    """Score every pair under a protocol.

    A pair that cannot be read or scored is named in ``failed``, and the rest goes on.

    Args:
        pairs: a list of pairs, or what :func:`.pairing.pair_files` and :func:`.pairing.pair_run` give; a few are in
            memory at a time.
        protocol: one of ``PROTOCOLS``.
        progress: called after each clip with the number done and the clip's id.
        nearest_training_frame: for a pair, the training frame nearest to each real frame, in order,
            [T, 3 or 4, h, w] in [0, 1]: the anchor that a memorising model could reach.
        lpips: weights file of LPIPS; None looks in the weights folder, and goes without where there is none.
        split: which clips of the store these are, for the record.
        options: processes and resuming.
        reader: reads pose, expression and identity: ``metrics`` or ``loss`` for a copy that comes with the package
            (where it is missing, its rows are null with the reason), else a file or a reader's run.
    Returns:
        per-clip numbers, anchors, and small pictures of the worst and best clips.
    Raises:
        UserError: no pair, two of one name, or none that can be scored (the message is that of the first); no such
            reader.
    """
    if not len(pairs):
        raise UserError("there are no clips to evaluate: the made and the real side have no clip in common")
    weights, why_no_lpips = _find_lpips(lpips)
    reader_file, why_no_reader = _find_reader(reader)
    edits = None
    if isinstance(pairs, RunPairs):
        edits = Edits(pairs, tuple(equispaced(len(pairs), EDITED_CLIPS)))
    scorer = Scorer(
        pairs,
        protocol,
        frozenset(equispaced(len(pairs), protocol.anchor_clips)),
        nearest_training_frame,
        weights,
        why_no_lpips,
        reader_file,
        why_no_reader,
        edits,
    )
    _check_names(scorer)
    lpips_hash = sha256_of_weights(weights) if weights else None
    reader_hash = reader_sha256(reader_file) if reader_file else None
    outcomes = _score(scorer, (lpips_hash, reader_hash), progress, options)
    clips = [outcome for outcome in outcomes if isinstance(outcome, ClipResult)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, FailedClip)]
    if not clips:
        more = f" (and {len(failed) - 1} more clips like it)" if len(failed) > 1 else ""
        raise UserError(f"{failed[0].reason}{more}")
    extra = ("nearest_training_frame",) if nearest_training_frame else ()
    missing = pairs.missing if isinstance(pairs, FilePairs | RunPairs) else []
    results = Results(
        protocol, clips, protocol.anchors + extra, failed, missing, split, lpips_hash, reader_hash,
        reader_hash is not None and reader_hash == _loss_reader_hash(),
    )  # fmt: skip
    results.shown = _show(scorer, outcomes)
    return results


def _score(
    scorer: Scorer,
    weights: tuple[str | None, ...],
    progress: Progress | None,
    options: EvaluationOptions,
) -> list[ClipResult | FailedClip]:
    """One outcome for each pair, in their order."""
    pairs = scorer.pairs
    count = len(pairs)
    outcomes: dict[int, ClipResult | FailedClip] = {}
    done = 0

    def finish(index: int, outcome: ClipResult | FailedClip) -> None:
        nonlocal done
        outcomes[index], done = outcome, done + 1
        if progress is not None:
            progress(done, outcome.clip_id)

    if options.journal is None or not isinstance(pairs, FilePairs | RunPairs):
        for index, outcome in do_all(scorer, range(count), options.workers):
            finish(index, outcome)
        return [outcomes[index] for index in range(count)]
    journal = Journal(options.journal)
    common = (scorer.protocol.to_dict(), versions(), weights, scorer.nearest is not None)
    keys = {}
    try:
        left = []
        for index in range(count):
            try:
                keys[index] = row_key(
                    pairs.key(index), index in scorer.anchored, _edited(scorer, index), *common
                )
            except OSError as error:
                reason = f"{error.filename}: {error.strerror}"
                finish(index, FailedClip(scorer.clip_id(index), reason))
                continue
            known = _known(journal.find(keys[index]))
            if known is None:
                left.append(index)
            else:
                finish(index, known)
        for index, outcome in do_all(scorer, left, options.workers):
            if isinstance(outcome, ClipResult):
                journal.add(keys[index], outcome.to_row())
            finish(index, outcome)
    finally:
        journal.close()
    return [outcomes[index] for index in range(count)]


def _edited(scorer: Scorer, index: int) -> list[str]:
    """The clips that decide the rows of an edited one: its own, the one whose pose is lent, and the unit's."""
    if scorer.edits is None or index not in scorer.edits.clips:
        return []
    lent = scorer.edits.pairs.clip_ids[(index + 1) % len(scorer.edits.pairs)]
    return [lent, *scorer.edits.ids()]


def _known(row: dict | None) -> ClipResult | None:
    if row is None:
        return None
    try:
        return ClipResult.from_row(row)
    except (ValueError, KeyError, TypeError):
        # Damaged: that clip is scored again.
        return None


def _check_names(scorer: Scorer) -> None:
    seen: set[str] = set()
    for index in range(len(scorer.pairs)):
        clip_id = scorer.clip_id(index)
        if clip_id in seen:
            raise UserError(f"clip {clip_id}: comes twice; every pair needs its own clip_id")
        seen.add(clip_id)


def _find_lpips(path: Path | None) -> tuple[Path | None, str]:
    try:
        return find_weights(ALEXNET, path), ""
    except CheckpointError as error:
        if path is not None:
            raise
        return None, str(error)


def _find_reader(name: str | Path) -> tuple[Path | None, str]:
    path = find_reader(name)
    if path.is_file():
        return path, ""
    return (
        None,
        f"{path}: this copy of the reader is missing; train one with `temporal-gan reader train`, and name it",
    )


def _loss_reader_hash() -> str | None:
    return reader_sha256("loss") if find_reader("loss").is_file() else None


@torch.no_grad()
def _show(scorer: Scorer, outcomes: list[ClipResult | FailedClip]) -> list[ShownClip]:
    """Pictures of the worst and the best clips, worst first; those clips are read again."""
    ranked = sorted(
        (outcome.score(), index) for index, outcome in enumerate(outcomes) if isinstance(outcome, ClipResult)
    )
    chosen = ranked[:SHOWN_EACH_WAY] + ranked[SHOWN_EACH_WAY:][-SHOWN_EACH_WAY:]
    shown = []
    with one_thread():
        for score, index in chosen:
            clip = outcomes[index]
            assert isinstance(clip, ClipResult)
            pair = scorer.pairs[index]
            real = composite_on_white(pair.real.float().clamp(0, 1))
            made = composite_on_white(resize_clip(pair.made.float().clamp(0, 1), *real.shape[-2:]))
            shown.append(
                show_clip(
                    pair.clip_id, pair.character, pair.fps, score, made, real, clip.made.psnr_per_frame,
                    clip.made.values,
                )
            )  # fmt: skip
    return shown
