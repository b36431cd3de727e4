"""All that a report says of a store, counted once for the card and for the page."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from temporal_gan.data.manifest import SPLITS, ClipRow
from temporal_gan.data.store import Store
from temporal_gan.expressions import CLASSES

from .decisions import DECISIONS_FILE, Decisions, read_decisions
from .leaks import Leak, LookAlikes, find_leaks, find_look_alikes
from .outcome import OUTCOMES_FILE, Outcome, read_outcomes
from .sources_file import SourceRow, read_sources
from .store_figures import UNLABELLED, ClipFigures, Coverage, collect_figures

NO_LICENCE = "no licence given"
_RARE = 0.01
"""Share of labelled frames below which an expression class counts as missing."""

_SHOULD_HAVE_POSE = 0.5
_NAMED, _LEAKS_TOLD = 3, 4


@dataclass
class Count:
    """What belongs to one name, such as one source."""

    clips: int = 0
    frames: int = 0
    seconds: float = 0.0
    splits: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class StoreSummary:
    """A store looked through.

    Attributes:
        store: the store.
        clips: figures of every clip, in the store's order.
        coverage: sums over all frames.
        outcomes: of the run that made it; None where it does not come from ``run``.
        sources: rows of its ``sources.csv``, [] where it has none.
        decisions: its ``decisions.csv``, empty where it has none.
        leaks: what the tables tell.
        look_alikes: what the pictures tell.
    """

    store: Store
    clips: list[ClipFigures]
    coverage: Coverage
    outcomes: list[Outcome] | None
    sources: list[SourceRow]
    decisions: Decisions
    leaks: list[Leak]
    look_alikes: LookAlikes

    @property
    def title(self) -> str:
        """A name made of what is shown, as a folder's name may change: ``Clips of aoi, mika and 2 others``."""
        names = self.store.info.characters
        if len(names) <= _NAMED:
            return f"Clips of {', '.join(names)}"
        shown = _NAMED - 1
        return f"Clips of {', '.join(names[:shown])} and {len(names) - shown:,} others"

    @property
    def seconds(self) -> float:
        """How long all clips play."""
        return sum(clip.seconds for clip in self.clips)

    @property
    def splits(self) -> list[str]:
        """The splits that have clips, in the order of SPLITS."""
        used = {clip.row.split for clip in self.clips}
        return [split for split in SPLITS if split in used]

    def counts(self, name_of: Callable[[ClipRow], str]) -> dict[str, Count]:
        """Clips by a name, the one with most frames first."""
        found: dict[str, Count] = {}
        for clip in self.clips:
            count = found.setdefault(name_of(clip.row), Count())
            count.clips += 1
            count.frames += clip.row.frames
            count.seconds += clip.seconds
            count.splits[clip.row.split] += 1
        return dict(sorted(found.items(), key=lambda item: (-item[1].frames, item[0])))

    def by_licence(self) -> dict[str, Count]:
        """Clips by licence, those without one under NO_LICENCE."""
        return self.counts(lambda row: row.licence or NO_LICENCE)

    def share_of_frames(self, share: Callable[[ClipFigures], float]) -> float:
        """Mean of a clip's share, weighted by frames."""
        return sum(share(clip) * clip.row.frames for clip in self.clips) / self.coverage.frames

    def ended(self, state: str) -> list[Outcome]:
        """The outcomes of one state; [] where none are known."""
        return [outcome for outcome in self.outcomes or [] if outcome.state == state]

    def enlargements(self) -> list[float]:
        """Of the clips that were cropped."""
        return [clip.enlargement for clip in self.clips if clip.enlargement is not None]

    def facts(self) -> list[str]:
        """Names of all figures the run noted."""
        return sorted({name for clip in self.clips for name in clip.facts})

    def methods(self) -> Counter[str]:
        """How expressions were read -> frames; empty where no outcomes are known."""
        found: Counter[str] = Counter()
        for clip in self.clips:
            if clip.outcome:
                found[clip.outcome.method or "not at all"] += clip.row.frames
        return found

    def verdicts(self) -> Counter[str]:
        """Verdict of the pose stage ("" = kept) -> frames; empty where no outcomes are known."""
        found: Counter[str] = Counter()
        for clip in self.clips:
            found.update(clip.outcome.verdicts if clip.outcome else {})
        return found


def summarise(store: Store) -> StoreSummary:
    """Look through a store: every label, and the pictures of a bounded number of clips.

    Raises:
        StoreError, UserError: a file of the store is missing or damaged; it is named.
    """
    known = (store.path / OUTCOMES_FILE).is_file()
    decided = store.path / DECISIONS_FILE
    outcomes = read_outcomes(store.path) if known else None
    coverage = Coverage.of(store.info.skeleton, store.info.expressions)
    return StoreSummary(
        store=store,
        clips=list(collect_figures(store, outcomes or [], coverage)),
        coverage=coverage,
        outcomes=outcomes,
        sources=read_sources(store.path),
        # Nothing in a report tells where the store lies: a copy of it has the same report.
        decisions=replace(read_decisions(decided), file=DECISIONS_FILE) if decided.is_file() else Decisions(),
        leaks=find_leaks(store.clips),
        look_alikes=find_look_alikes(store),
    )


def warnings(summary: StoreSummary) -> list[str]:
    """What somebody who trains on the store should know first, a line each; may be empty."""
    lines = []
    lines += [f"LEAK: {leak_words(leak)}" for leak in summary.leaks[:_LEAKS_TOLD]]
    if len(summary.leaks) > _LEAKS_TOLD:
        lines.append(f"LEAK: {len(summary.leaks) - _LEAKS_TOLD:,} more, listed below")
    if alike := summary.look_alikes.leaks:
        lines.append(
            f"{plural(len(alike), 'pair')} of clips in different splits look alike; look at them below"
        )
    if unlicensed := summary.by_licence().get(NO_LICENCE):
        lines.append(f"{plural(unlicensed.clips, 'clip')} without a licence: not to be published")
    if summary.outcomes is None:
        lines.append(
            "This store was not made by the run command: what was left out, gate verdicts and crop scales are unknown"
        )
    if failed := summary.ended("failed"):
        lines.append(f"{plural(len(failed), 'input')} failed; see the reasons below")
    without = [clip for clip in summary.clips if clip.pose < _SHOULD_HAVE_POSE]
    if without:
        none = sum(clip.pose == 0 for clip in without)
        lines.append(
            f"{plural(len(without), 'clip')} with a pose in less than half of the frames, {none} with none at all"
        )
    lines += _expression_warnings(summary.coverage)
    lines += summary.decisions.unknown(*all_names(summary))
    return lines


def _expression_warnings(coverage: Coverage) -> list[str]:
    labelled = coverage.frames - coverage.classes[UNLABELLED]
    if labelled == 0:
        return ["No frame has an expression"]
    rare = [
        name for name in coverage.expressions if name in CLASSES and coverage.classes[name] < _RARE * labelled
    ]
    return [f"In less than 1 % of the labelled frames: {', '.join(rare)}"] if rare else []


def all_names(summary: StoreSummary) -> tuple[list[str], list[str]]:
    """Ids of all clips and names of all sources there are or were, left out ones too."""
    told = summary.outcomes or []
    clips = [*(clip.row.id for clip in summary.clips), *(o.clip for o in told if o.clip)]
    sources = [
        *(clip.row.source for clip in summary.clips),
        *(o.source for o in told),
        *(row.file for row in summary.sources),
    ]
    return clips, sources


def leak_words(leak: Leak) -> str:
    """One leak as a sentence."""
    what = {
        "source": f"source {leak.name}",
        "file": f"the same file ({leak.name[:12]})",
        "video": f"the same video ({leak.name[:12]})",
        "character": f"character {leak.name}, who should be new",
        "look": f"look-alikes (correlation {leak.name})",
    }[leak.kind]
    return f"{what}: {leak.clips[0]} in {leak.splits[0]}, {leak.clips[1]} in {leak.splits[1]}"


def reasons(outcomes: Sequence[Outcome], names: Iterable[str]) -> list[tuple[str, int]]:
    """Reasons and how often, most frequent first.

    What differs from case to case is taken out: names of clips and sources, and all after a colon or bracket.
    """
    own, found = set(names), Counter[str]()
    for outcome in outcomes:
        # A message about a broken file begins with the file.
        told = outcome.reason.rsplit(f"{outcome.source}: ", 1)[-1]
        kind = told.split(": ")[0].split(" (")[0]
        found[" ".join("…" if word.strip(",;") in own else word for word in kind.split())] += 1
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def histogram(values: Iterable[float | None], low: float, high: float, bins: int) -> list[int]:
    """Counts in equal bins; None is not counted, and values beyond the ends are in the first or last bin."""
    known = np.array([value for value in values if value is not None], np.float64)
    places = np.clip(((known - low) / (high - low) * bins).astype(int), 0, bins - 1)
    return [int(count) for count in np.bincount(places, minlength=bins)]


def plural(count: int, noun: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
