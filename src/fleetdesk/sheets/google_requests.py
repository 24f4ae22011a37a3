"""The few requests of `spreadsheets.batchUpdate` that FleetDesk makes.

Source: Sheets API v4, `Request`. Places are counted from 1 here and from 0 there.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetdesk.sheets.a1 import Area
from fleetdesk.sheets.google_book import Place
from fleetdesk.sheets.google_values import Json

OURS = "userEnteredValue,userEnteredFormat"
WHOLE = "userEnteredValue,userEnteredFormat,note,dataValidation,textFormatRuns"
"""What moves with a planner's cell."""
_ACCENT = {"rgbColor": {"red": 0x1F / 255, "green": 0x5A / 255, "blue": 0x6E / 255}}
_TITLE_PX = 36


class Batch:
    """Requests in the order in which they are carried out."""

    def __init__(self) -> None:
        self.requests: list[Json] = []

    def add_sheet(
        self,
        page: int,
        title: str,
        index: int,
        size: tuple[int, int],
        *,
        frozen: int = 0,
        hidden: bool = False,
    ) -> None:
        """A new sheet at a position, counted from 0."""
        grid: Json = {"rowCount": size[0], "columnCount": size[1]}
        properties: Json = {"sheetId": page, "title": title, "index": index}
        if frozen:
            grid |= {"frozenRowCount": frozen, "hideGridlines": True}
            properties["tabColorStyle"] = _ACCENT
        if hidden:
            properties["hidden"] = True
        self._add("addSheet", {"properties": {**properties, "gridProperties": grid}})
        if frozen:
            self._size(page, "ROWS", 1, _TITLE_PX)

    def resize(self, page: int, size: tuple[int, int]) -> None:
        """More rows or columns for a sheet."""
        grid = {"rowCount": size[0], "columnCount": size[1]}
        self._add(
            "updateSheetProperties",
            {
                "properties": {"sheetId": page, "gridProperties": grid},
                "fields": "gridProperties.rowCount,gridProperties.columnCount",
            },
        )

    def clear(self, page: int, area: Area, *, whole: bool = False) -> None:
        """Empty cells of value and format, or of everything that moves with a cell."""
        self._add(
            "updateCells", {"range": grid_range(page, area), "fields": WHOLE if whole else OURS}
        )

    def cell(self, page: int, place: Place, data: Json, *, whole: bool = False) -> None:
        """One cell."""
        rows = [{"values": [data]}]
        fields = WHOLE if whole else OURS
        area = grid_range(page, Area(*place, *place))
        self._add("updateCells", {"range": area, "rows": rows, "fields": fields})

    def values(self, page: int, area: Area, rows: Sequence[Sequence[Json]]) -> None:
        """Values of a block; cells of the area that no row covers are emptied."""
        self._add(
            "updateCells",
            {
                "range": grid_range(page, area),
                "rows": [{"values": list(row)} for row in rows],
                "fields": "userEnteredValue",
            },
        )

    def formats(self, page: int, area: Area, same: Json, each: Sequence[Json]) -> None:
        """Formats of a column: the same for all its cells, or one for each."""
        fields = "userEnteredFormat"
        if not each:
            cell = {"userEnteredFormat": same}
            self._add(
                "repeatCell", {"range": grid_range(page, area), "cell": cell, "fields": fields}
            )
            return
        rows = [{"values": [{"userEnteredFormat": look}]} for look in each]
        self._add("updateCells", {"range": grid_range(page, area), "rows": rows, "fields": fields})

    def unmerge(self, page: int, area: Area) -> None:
        """Take merged cells apart."""
        self._add("unmergeCells", {"range": grid_range(page, area)})

    def width(self, page: int, column: int, characters: float) -> None:
        """A column's width, given in characters as in Excel."""
        self._size(page, "COLUMNS", column, round(min(max(characters, 3), 255) * 7 + 5))

    def add_name(self, key: str, name: str, page: int, area: Area) -> None:
        """A new named range."""
        named = {"namedRangeId": key, "name": name, "range": grid_range(page, area)}
        self._add("addNamedRange", {"namedRange": named})

    def move_name(self, key: str, page: int, area: Area) -> None:
        """Another area for a named range."""
        named = {"namedRangeId": key, "range": grid_range(page, area)}
        self._add("updateNamedRange", {"namedRange": named, "fields": "range"})

    def protect(self, key: str, title: str) -> None:
        """Warn who edits a named range; nobody is kept from it."""
        guard = {
            "namedRangeId": key,
            "description": f"{title}: written anew by every run of FleetDesk",
            "warningOnly": True,
        }
        self._add("addProtectedRange", {"protectedRange": guard})

    def offer(self, page: int, area: Area, choices: Sequence[str]) -> None:
        """A dropdown in cells; without choices it is taken away. Other texts are not forbidden."""
        content: Json = {"range": grid_range(page, area)}
        if choices:
            values = [{"userEnteredValue": choice} for choice in choices]
            condition = {"type": "ONE_OF_LIST", "values": values}
            content["rule"] = {"condition": condition, "strict": False, "showCustomUi": True}
        self._add("setDataValidation", content)

    def add_chart(self, key: int, spec: Json, place: Json) -> None:
        """A new chart over a sheet's cells (`OverlayPosition`)."""
        position = {"overlayPosition": place}
        self._add("addChart", {"chart": {"chartId": key, "spec": spec, "position": position}})

    def update_chart(self, key: int, spec: Json) -> None:
        """What an existing chart shows; it stays where it is."""
        self._add("updateChartSpec", {"chartId": key, "spec": spec})

    def remove_chart(self, key: int) -> None:
        """A chart that is no longer wanted."""
        self._add("deleteEmbeddedObject", {"objectId": key})

    def _size(self, page: int, dimension: str, number: int, pixels: int) -> None:
        place = {"sheetId": page, "dimension": dimension}
        self._add(
            "updateDimensionProperties",
            {
                "range": {**place, "startIndex": number - 1, "endIndex": number},
                "properties": {"pixelSize": pixels},
                "fields": "pixelSize",
            },
        )

    def _add(self, kind: str, content: Json) -> None:
        self.requests.append({kind: content})


def grid_range(page: int, area: Area) -> Json:
    """An area as a `GridRange`."""
    return {
        "sheetId": page,
        "startRowIndex": area.top - 1,
        "endRowIndex": area.bottom,
        "startColumnIndex": area.left - 1,
        "endColumnIndex": area.right,
    }
