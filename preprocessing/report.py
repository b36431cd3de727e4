"""The report of a store: ``STORE/report/`` with a page, a dataset card, and a table of all clips."""

import csv
import io
from pathlib import Path

from temporal_gan.checkpoint import write_atomically
from temporal_gan.data.store import Store

from .card import dataset_card
from .report_page import report_page, verdict_words
from .store_summary import StoreSummary, summarise

REPORT_FOLDER = "report"
PAGE_FILE, CARD_FILE, CLIPS_FILE = "index.html", "card.md", "clips.csv"


def write_report(store_path: Path | str) -> Path:
    """Look through a store and write ``report/index.html``, ``report/card.md`` and ``report/clips.csv`` into it.

    Any store will do; without ``outcomes.jsonl`` and ``sources.csv`` the report says what is therefore unknown. The
    same store gives the same bytes. However many clips there are, the page shows a few hundred rows and about 30
    clips; ``clips.csv`` has them all. The store's content hash does not cover the report.

    Args:
        store_path: folder of the store.
    Returns:
        the page.
    Raises:
        StoreError, UserError: no store, or one of its files is missing, damaged or malformed; it is named.
        CheckpointError: a file could not be written.
    """
    summary = summarise(Store.open(store_path))
    folder = Path(store_path) / REPORT_FOLDER
    page = report_page(summary)
    texts = {CLIPS_FILE: clips_table(summary), CARD_FILE: dataset_card(summary), PAGE_FILE: page}
    for name, text in texts.items():
        _write(folder / name, text)
    return folder / PAGE_FILE


def clips_table(summary: StoreSummary) -> str:
    """A CSV line per clip: its figures, the run's facts, and why frames got no pose. Empty cells are unknown."""
    facts = summary.facts()
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        "clip character split source licence frames seconds pose joints confidence expression drawings_per_second "
        "scale flags no_pose_because".split()
        + [f"fact_{name}" for name in facts]
    )
    for clip in summary.clips:
        row = clip.row
        figures = (clip.seconds, clip.pose, clip.joints, clip.confidence, clip.expression)
        more = (clip.drawings_per_second, clip.scale)
        writer.writerow(
            [
                *(row.id, row.character, row.split, row.source, row.licence, row.frames),
                *("" if value is None else f"{value:.4f}" for value in (*figures, *more)),
                " ".join(row.flags),
                verdict_words(clip.outcome),
                *(f"{clip.facts[name]:.4f}" if name in clip.facts else "" for name in facts),
            ]
        )
    return text.getvalue()


def _write(file: Path, text: str) -> None:
    write_atomically(file, lambda temporary: temporary.write_text(text, encoding="utf-8", newline=""))
