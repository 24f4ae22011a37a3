"""The reference page of all settings, drawn from the schema."""

from __future__ import annotations

from fleetdesk.model.sheet_template import Input, InputKind
from fleetdesk.settings.fields import SECTIONS, inputs_of, value_text
from fleetdesk.settings.schema import FORMS, SHEET_ORDER

_INTRO = """\
# Settings

Everything a planner can set, sheet by sheet. This page is drawn from the settings themselves.

How the sheets are read:

- Settings are found by their names, not by their place: rows and columns may be moved, and columns
  and notes of your own may stand beside them. Blank rows are skipped.
- An empty cell means the value in the column "If empty"; where that says *required*, a run stops.
- Numbers are numbers: text that looks like a number is refused, with a hint.
- `money` stands for the currency of the sheet City; the workbook shows its code.
- All problems are told at once, each with its cell, and nothing is written until they are mended.
- A workbook made by an older version is read with the defaults of what came later. The next run
  adds those settings below their tables, in cells that were empty, with a backup; `fleetdesk check`
  and `run --dry-run` say what would be added. Where something of yours is in the way, or when open
  in Excel or in Google Sheets, nothing is added and a note names them. A workbook of a newer
  version is refused.
"""


def reference_page() -> str:
    """The whole page as Markdown."""
    parts = [_INTRO]
    for section in SHEET_ORDER:
        kind = SECTIONS[section]
        layout = "One setting a row." if section in FORMS else "A list; one setting a column."
        parts += [
            f"\n## {kind.sheet}\n\n{kind.intro} {layout}\n",
            "\n| Setting | What it does | Unit | Allowed | If empty |\n|---|---|---|---|---|\n",
            *(_line(entry) for entry in inputs_of(kind)),
        ]
    return "".join(parts)


def _line(entry: Input) -> str:
    empty = "*required*" if entry.required else value_text(entry.default) or "stays empty"
    cells = (entry.label, entry.help, entry.unit, _allowed(entry), empty)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def _allowed(entry: Input) -> str:
    if entry.choices_from:
        table, column = entry.choices_from
        return f"a {column} of the sheet {table}"
    if entry.kind is InputKind.TEXT and entry.longest and entry.expects == "text":
        return f"text, at most {entry.longest} characters"
    return entry.expects
