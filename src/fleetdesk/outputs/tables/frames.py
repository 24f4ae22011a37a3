"""Frames as rows of result sheets, and what may be shown of riders in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from fleetdesk.model import privacy
from fleetdesk.settings.schema import Settings
from fleetdesk.sheets.base import Value

if TYPE_CHECKING:
    import pandas as pd

Group = TypeVar("Group")
HIDDEN = (
    "Rider ids are kept back: set Riders: Show rider ids to yes to list riders who agreed to it."
)


def rows_of(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[Value, ...]]:
    """The named columns row by row in Python's own types; what is missing becomes an empty cell."""
    lists = [[_plain(value) for value in frame[name].tolist()] for name in columns]
    return list(zip(*lists, strict=True)) if lists else []


def listed(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The rows about single riders that may be shown: of those who agreed, if the sheet allows it.

    `frame` has a column consent; one without consent known is not shown.
    """
    if not settings.riders.show_rider_ids:
        return frame.iloc[:0]
    return frame[frame["consent"].fillna(False).astype(bool)]


def without_small(
    frame: pd.DataFrame, count: str, figures: Sequence[str], settings: Settings
) -> pd.DataFrame:
    """Groups of too few riders without their figures, `count` included."""
    return blanked(frame, too_few(frame[count], settings), (count, *figures))


def too_few(
    counts: pd.Series[int], settings: Settings, already: pd.Series[bool] | None = None
) -> pd.Series[bool]:
    """`privacy.too_few` for a column, by the sheet's smallest group."""
    import pandas as pd

    before = [] if already is None else [i for i, hide in enumerate(already) if hide]
    hidden = privacy.too_few(counts.tolist(), settings.riders.smallest_group, before)
    return pd.Series([i in hidden for i in range(len(counts))], index=counts.index, dtype=bool)


def large_enough(
    groups: Sequence[Group], counts: Sequence[int], whole: int, settings: Settings
) -> list[Group]:
    """The groups that may be shown of a whole, which others that are not given are part of, too."""
    import pandas as pd

    hidden = too_few(pd.Series([*counts, whole - sum(counts)], dtype=int), settings)
    return [group for group, hide in zip(groups, hidden[:-1], strict=True) if not hide]


def blanked(frame: pd.DataFrame, hidden: pd.Series[bool], names: Sequence[str]) -> pd.DataFrame:
    """The frame with empty cells in the columns named where rows are hidden."""
    shown = frame[list(names)].astype(object).mask(hidden)
    return frame.assign(**{name: shown[name] for name in names})


def few_left_out(frame: pd.DataFrame, counts: Sequence[str], settings: Settings) -> pd.DataFrame:
    """The frame with empty cells for numbers of riders that are too few, each by itself."""
    for name in counts:
        found = frame[name]
        hidden = (found > 0) & (found < settings.riders.smallest_group)
        frame = blanked(frame, hidden, (name,))
    return frame


def many(riders: int, settings: Settings) -> str:
    """How many, unless they are so few that they might be known by it."""
    least = settings.riders.smallest_group
    return f"fewer than {least}" if 0 < riders < least else str(riders)


def hidden_note(settings: Settings) -> str:
    """Why a list of riders is empty; nothing where it is not."""
    return "" if settings.riders.show_rider_ids else HIDDEN


def _plain(value: Any) -> Value:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    # Only what is missing (NaN, NaT) differs from itself.
    if value is None or value != value:
        return None
    if hasattr(value, "to_pydatetime"):
        return _plain(value.to_pydatetime())
    if isinstance(value, bool | int | float | str | date):
        return value if not isinstance(value, float) or abs(value) < float("inf") else None
    return _plain(value.item()) if hasattr(value, "item") else str(value)
