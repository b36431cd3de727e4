"""Which expression was read where which was commanded, as a small HTML table."""

from collections.abc import Sequence


def confusion_table(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Rows are commands, columns what was read; a cell is its share of the row, coloured by it.

    Args:
        classes: C names.
        counts: [C][C] frames; a class that is nowhere is left out.
    Returns:
        a ``<table>``, or "" where there is no frame. The page's style sheet colours it.
    """
    seen = [i for i in range(len(classes)) if sum(counts[i]) or sum(row[i] for row in counts)]
    if not seen:
        return ""
    head = "".join(f"<th>{classes[i]}</th>" for i in seen)
    rows = []
    for i in seen:
        frames = sum(counts[i])
        cells = "".join(_cell(counts[i][j], frames, i == j) for j in seen)
        rows.append(f'<tr><th scope="row">{classes[i]}</th>{cells}<td class="soft">{frames}</td></tr>')
    return (
        f'<table class="confusion"><thead><tr><th>commanded \\ read</th>{head}<th>frames</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _cell(count: int, frames: int, right: bool) -> str:
    if not count:
        return "<td></td>"
    share = count / frames
    kind = "right" if right else "wrong"
    # Never so faint that a seldom confusion cannot be seen.
    return f'<td class="{kind}" style="--share: {15 + 70 * share:.0f}%">{share:.0%}</td>'
