"""From files to a clip store: what ``temporal-gan-preprocess run`` does.

Two rounds of independent work with a look at the whole in between: sources are scanned for shots; duplicates, labels,
a person's decisions and the splits are settled; the clips that stay go through their stages; the store is packed. Every
finished piece lies in the work folder, so a run that is repeated makes only what is missing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from temporal_gan.errors import UserError

from .clip import Source
from .clip_task import CLIPS, ClipDone, ClipItem, ClipTask, ToolsTask, clip_keys
from .config import PreprocessConfig
from .cuts import Cut, cut_values, cuts_of
from .decisions import Decisions
from .dedupe import find_duplicates
from .lanes import Died, Task
from .outcome import Outcome, told_without_folder
from .pack import Contents, Packed, check_place, is_up_to_date, pack
from .progress import Progress
from .scan_task import SCANS, ScanDone, ScanItem, ScanTask, read_scan
from .sequence import same_sequence
from .shot import clip_id
from .source_labels import source_labels
from .split import assign_splits
from .work_folder import LOCK_FILE, WorkFolder, key_of

_RUN = 8
"""Shots of one source that a process works on in a row: it decodes on from one to the next without seeking."""
MOST_SECONDS = 1800.0
"""An item that takes longer hangs. Reading, which may go on for hours, tells after every frame that it does not."""
Engine = Callable[[Task, Sequence[Sequence], int, float], Iterator]


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for.

    Attributes:
        sources: to be turned into clips, each with a licence or allowed without.
        outcomes: of inputs that are no sources.
        out: folder of the store.
        work: folder of finished pieces.
        config: settings of every stage.
        labels: folder with labels for the sources, or None.
        decisions: a person's; they win over duplicates and short shots.
        cuts: source name -> cuts as a person wants them; they stay with the store, those of no source here too.
        workers: processes.
        engine: :func:`preprocessing.lanes.do_all`, or the same on a cluster.
        progress: where it is told.
    """

    sources: Sequence[Source]
    outcomes: Sequence[Outcome]
    out: Path
    work: Path
    config: PreprocessConfig
    labels: Path | None
    decisions: Decisions
    cuts: dict[str, list[Cut]]
    workers: int
    engine: Engine
    progress: Progress


@dataclass(frozen=True)
class Finished:
    """How a run ended.

    Attributes:
        outcomes: of everything.
        packed: clips in the store; 0 = no store was made.
        changed: False where the store was there already, made from just this.
        idle: those of the outcomes that are of a person's words which met nothing: decisions, cuts.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    packed: int = 0
    changed: bool = True
    idle: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        """What was broken."""
        return [outcome for outcome in self.outcomes if outcome.state == "failed"]


def run(wanted: Wanted) -> Finished:
    """Make or complete a clip store.

    Raises:
        UserError: the place is not free, there is no folder of labels, a detector or weights are missing, the work
            folder is not one of ours, lies in the store, or another run is in it.
        OSError: a disk is full or not writable; what is finished stays.
    """
    if wanted.labels is not None and not wanted.labels.is_dir():
        raise UserError(f"{wanted.labels}: no such folder of labels")
    _check_apart(wanted.out, wanted.work)
    check_place(wanted.out)
    work = WorkFolder(wanted.work)
    work.check()
    wanted.work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(wanted.work / LOCK_FILE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UserError(
            f"{wanted.work}: another run is at work here; wait for it, or name another --work"
        ) from None
    with lock:
        work.prepare()
        return _run(wanted, work)


def _check_apart(out: Path, work: Path) -> None:
    """A store is replaced as a whole: whatever lay in it would be lost."""
    store, pieces = out.resolve(), work.resolve()
    if store.is_relative_to(pieces) or pieces.is_relative_to(store):
        raise UserError(f"--work {work} and --out {out} must be two folders, neither within the other")


def _run(wanted: Wanted, work: WorkFolder) -> Finished:
    outcomes = list(wanted.outcomes)
    check = cache(lambda: _check_tools(wanted, work))
    scans, broken = _scan(wanted, work, check)
    outcomes += broken
    idle = _idle_words(wanted, scans)
    items, others, alike = _settle(wanted, scans)
    outcomes += idle + others
    if not items:
        return Finished(outcomes, idle=idle)
    broken = _work_on(wanted, work, items, check)
    outcomes += broken
    lost = {outcome.clip for outcome in broken}
    items = [item for item in items if item.id not in lost]
    # Of what is left: a source without a clip would leave its split empty.
    sources = {item.source.name: item.source for item in items}
    splits = assign_splits(list(sources.values()), alike, wanted.config.split)
    clips = [
        Packed(item, splits[item.source.name], work.place(CLIPS, clip_keys(item, wanted.config)[CLIPS]))
        for item in items
    ]
    if not clips:
        return Finished(outcomes, idle=idle)
    settings = wanted.config.model_dump(mode="json")
    pieces = [(clip.piece.name, clip.split, vars(clip.item.source) | {"file": ""}) for clip in clips]
    decided = Path(wanted.decisions.file) if wanted.decisions.file else None
    words = None if decided is None else decided.read_text(encoding="utf-8")
    cuts = {scan.source.name: cuts_of(scan.shots) for scan in scans} | wanted.cuts
    listed = [{name: cut_values(cuts[name]) for name in cuts}, sorted(wanted.cuts)]
    key = key_of(pieces, sorted(repr(outcome) for outcome in outcomes), settings, words, listed)
    if is_up_to_date(wanted.out, key):
        return Finished(outcomes, len(clips), changed=False, idle=idle)
    with wanted.progress.bar("packing", len(clips), "clips") as done:
        pack(wanted.out, Contents(key, settings, clips, outcomes, cuts, wanted.cuts, decided), done)
    return Finished(outcomes, len(clips), idle=idle)


def _check_tools(wanted: Wanted, work: WorkFolder) -> None:
    """Raise UserError where a detector, a reader or weights cannot be had."""
    for result in wanted.engine(ToolsTask(wanted.config, work), [["tools"]], 1, MOST_SECONDS):
        wrong = result.reason if isinstance(result, Died) else result
        if wrong:
            raise UserError(wrong)


def _scan(
    wanted: Wanted, work: WorkFolder, check: Callable[[], None]
) -> tuple[list[ScanDone], list[Outcome]]:
    """Every source's shots, in the sources' order; and the sources that cannot be read."""
    task = ScanTask(wanted.config, work)
    found: dict[str, ScanDone] = {}
    missing: list[list[ScanItem]] = []
    for source in wanted.sources:
        own = wanted.cuts.get(source.name)
        item = ScanItem(source, None if own is None else tuple(own))
        place = work.find(SCANS, task.key(item))
        scan = None if place is None else read_scan(place, source)
        if scan is None:
            missing.append([item])
        else:
            found[source.name] = scan
    if missing:
        check()
    with wanted.progress.bar("scanning", len(missing), "sources") as done:
        for result in wanted.engine(task, missing, wanted.workers, MOST_SECONDS):
            if isinstance(result, Died):
                result = ScanDone(result.item.source, (), result.reason)
            found[result.source.name] = result
            done()
    scans = [found[source.name] for source in wanted.sources]
    broken = [
        Outcome(s.source.name, "", "failed", told_without_folder(s.failure, s.source.file, s.source.name))
        for s in scans
        if s.failure
    ]
    return [scan for scan in scans if not scan.failure], broken


def _idle_words(wanted: Wanted, scans: Sequence[ScanDone]) -> list[Outcome]:
    """A person's decisions and cuts of what is not there: what they were for may have another name now."""
    decisions, file = wanted.decisions, Path(wanted.decisions.file).name
    known = {source.name for source in wanted.sources}
    clips = [clip_id(scan.source, shot.first_frame) for scan in scans for shot in scan.shots]
    decided = [line.replace(decisions.file, file) for line in decisions.unknown(clips, known)]
    cut = [name for name in wanted.cuts if name not in known]
    return [Outcome(file, "", "left out", line) for line in decided] + [
        Outcome(
            name, "", "left out", f"{Path(wanted.cuts[name][0].where).name}: a cut of none of the sources"
        )
        for name in cut
    ]


def _settle(
    wanted: Wanted, scans: Sequence[ScanDone]
) -> tuple[list[ClipItem], list[Outcome], list[tuple[str, str]]]:
    """Which shots become clips, what does not and why, and which sources must share a split: what one shot alone does
    not tell."""
    config, decisions = wanted.config, wanted.decisions
    shots = [
        (scan.source, shot, clip_id(scan.source, shot.first_frame)) for scan in scans for shot in scan.shots
    ]
    others: list[Outcome] = []
    stay = []
    for source, shot, name in shots:
        decision = decisions.find(name, source.name)
        if decision is not None and decision.verdict == "reject":
            others.append(Outcome(source.name, name, "left out", decision.reason()))
        elif decision is None and shot.left_out:
            others.append(Outcome(source.name, name, "left out", shot.left_out))
        else:
            stay.append((source, shot, name))
    same = find_duplicates(
        [(name, source.name, shot.fingerprint) for source, shot, name in stay], config.dedupe
    )
    labels, broken = source_labels(wanted.labels, scans)
    others += broken
    unlabelled = {outcome.source for outcome in broken}
    items = []
    for source, shot, name in stay:
        if name in same.copies and decisions.decide(name, source.name) != "keep":
            others.append(Outcome(source.name, name, "left out", f"nearly the same as {same.copies[name]}"))
        elif source.name not in unlabelled:
            items.append(ClipItem(name, source, shot, labels.get(source.name)))
    return items, others, same.alike + same_sequence({item.source.name for item in items})


def _work_on(
    wanted: Wanted, work: WorkFolder, items: Sequence[ClipItem], check: Callable[[], None]
) -> list[Outcome]:
    """Make every missing clip; returns what failed."""
    missing = [item for item in items if not work.find(CLIPS, clip_keys(item, wanted.config)[CLIPS])]
    runs: list[list[ClipItem]] = []
    for item in missing:
        if runs and runs[-1][-1].source.name == item.source.name and len(runs[-1]) < _RUN:
            runs[-1].append(item)
        else:
            runs.append([item])
    if missing:
        check()
    broken = []
    task = ClipTask(wanted.config, work)
    with wanted.progress.bar("clips", len(missing), "clips") as done:
        for result in wanted.engine(task, runs, wanted.workers, MOST_SECONDS):
            if isinstance(result, Died):
                result = ClipDone(result.item, result.reason)
            if result.failure:
                item = result.item
                reason = told_without_folder(result.failure, item.source.file, item.source.name)
                broken.append(Outcome(item.source.name, item.id, "failed", reason))
            done()
    return broken
