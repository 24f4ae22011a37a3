"""The look of the planner's workbook: one typeface, one accent, a soft fill for what is typed."""

from __future__ import annotations

from typing import Any

from xlsxwriter import Workbook

from fleetdesk.model.sheet_template import Input, InputKind
from fleetdesk.sheets.input_rules import number_format

ACCENT = "#17606B"
INK = "#22313A"
QUIET = "#64747D"
LINE = "#D5DCDF"
INPUT_FILL = "#FFF8E6"


class Styles:
    """The cell formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}
        self.plain = self.of()
        self.title = self.of(font_size=16, bold=True, font_color=ACCENT)
        self.heading = self.of(font_size=13, bold=True, font_color=ACCENT)
        self.note = self.of(font_color=QUIET)
        self.text = self.of(font_color=INK)
        self.number = self.of(font_color=ACCENT, bold=True, align="center")
        self.link = self.of(font_color=ACCENT, underline=1)
        self.back_link = self.of(font_color=ACCENT, underline=1, align="right")
        self.label = self._cell(font_color=INK, bold=True, indent=1)
        self.unit = self._cell(font_color=QUIET, indent=1)
        self.help = self._cell(font_color=INK, text_wrap=True, indent=1)
        self.legend = self._cell(bg_color=INPUT_FILL, align="center", font_color=INK)

    def head(self, side: str, indent: int = 0) -> Any:
        """The head of a column, flush as its values are."""
        return self.of(
            bold=True,
            font_color="#FFFFFF",
            bg_color=ACCENT,
            text_wrap=True,
            border=1,
            border_color=ACCENT,
            align=side,
            indent=indent,
        )

    def list_head(self, entry: Input) -> Any:
        """The head of a list's column."""
        side = _side(entry)
        return self.head(side, indent=1 if side == "left" else 0)

    def form_input(self, entry: Input) -> Any:
        """A form's value: typed by the planner, flush right beside its unit."""
        return self._cell(**_input(entry), bg_color=INPUT_FILL, align="right", indent=1)

    def list_input(self, entry: Input) -> Any:
        """A list's value: numbers flush right, words flush left."""
        return self._cell(**_input(entry), **_aligned(_side(entry)), bg_color=INPUT_FILL)

    def spare(self, entry: Input) -> Any:
        """Empty rows below a list, ready to be typed into."""
        return self.of(**_input(entry), **_aligned(_side(entry)))

    def result(self, kind: InputKind) -> Any:
        """A value of the last run."""
        looks = {
            InputKind.WHOLE: "#,##0",
            InputKind.NUMBER: "#,##0.00",
            InputKind.DATE: "yyyy-mm-dd hh:mm",
        }
        return self._cell(num_format=looks.get(kind, "General"), **_aligned("left"), font_color=INK)

    def of(self, **look: object) -> Any:
        """A format; asked for twice, made once."""
        key = tuple(sorted(look.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format({"valign": "vcenter", **look})
        return self._made[key]

    def _cell(self, **look: object) -> Any:
        return self.of(border=1, border_color=LINE, **look)


def _input(entry: Input) -> dict[str, object]:
    return {"num_format": number_format(entry), "locked": False, "font_color": INK}


def _side(entry: Input) -> str:
    words = {InputKind.TEXT: "left", InputKind.CHOICE: "left", InputKind.YES_NO: "center"}
    return words.get(entry.kind, "right")


def _aligned(side: str) -> dict[str, object]:
    # LibreOffice draws an indent from the right in the first of several such columns only.
    return {"align": side, "indent": 1} if side == "left" else {"align": side}
