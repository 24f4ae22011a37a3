"""One sheet's cells as rows of settings, each value with its address, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from fleetdesk.errors import Problem, Severity
from fleetdesk.model.sheet_template import FORM_HEADERS, MONEY, Input, TemplateValue
from fleetdesk.settings.cells import Fault, convert, is_blank, show
from fleetdesk.settings.fields import inputs_of, value_text
from fleetdesk.settings.labels import Cells, a1, header_row, match, unit_in
from fleetdesk.settings.sheet import Sheet
from fleetdesk.settings.words import normal

SETTING, VALUE = FORM_HEADERS[0], FORM_HEADERS[1]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of settings: the values that could be read, and where each setting stands.

    `lines` are the settings' rows in the sheet, in a list the one row of all; `empty` are the
    settings whose cell is empty, so that their default holds; `made` is the row as the schema has
    it, None when something is wrong with it.
    """

    sheet: str
    values: Mapping[str, TemplateValue] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] | int = 0
    empty: frozenset[str] = frozenset()
    made: Sheet | None = None

    def cell(self, key: str) -> str:
        """The setting's A1 address; nothing when the sheet does not have it."""
        if key not in self.columns:
            return ""
        line = self.lines if isinstance(self.lines, int) else self.lines[key]
        return a1(line, self.columns[key])


@dataclass(frozen=True)
class Rows:
    """All rows of one sheet, and the problems met on the way.

    `new` are the settings that the sheet lacks because its workbook is older than they are. Of a
    list, `columns` are its settings' columns and `next_line` is where one row more would go.
    """

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    new: tuple[Input, ...] = ()
    is_new: bool = False
    """Whether the sheet itself is what the workbook lacks."""
    columns: Mapping[str, int] = field(default_factory=dict)
    next_line: int = 0


def read_form(sheet: str, cells: Cells, section: type[Sheet], version: int) -> Rows:
    """The one row of a form: its labels stand below the head `Setting`, values below `Value`.

    Settings newer than the schema `version` of the workbook may be missing.
    """
    inputs = inputs_of(section)
    labels = [entry.label for entry in inputs]
    top = header_row(cells, (SETTING, VALUE))
    heads = match(
        sheet, _in_row(cells, top) if top else (), (SETTING, VALUE), "column",
    )  # fmt: skip
    label_column = heads.places.get(SETTING, (0, _label_column(cells, labels)))[1]
    below = (
        item for item in cells.items() if item[0][1] == label_column and item[0][0] > (top or 0)
    )
    found = match(sheet, below, labels, "row", _newer(inputs, version))
    problems = [*heads.problems, *found.problems]
    if VALUE not in heads.places:
        return Rows((Row(sheet),), tuple(problems))
    lines = {e.key: found.places[e.label][0] for e in inputs if e.label in found.places}
    columns = dict.fromkeys(lines, heads.places[VALUE][1])
    new = tuple(e for e in inputs if e.since > version and e.key not in lines)
    row, faults = _row(sheet, cells, columns, lines, section, new)
    return Rows((row,), (*problems, *faults, *_defaults_taken((row,), inputs)), new)


def read_list(sheet: str, cells: Cells, section: type[Sheet], currency: str, version: int) -> Rows:
    """The rows of a list: one below the other under the heads, blank rows between allowed.

    Columns newer than the schema `version` of the workbook may be missing.
    """
    inputs = inputs_of(section)
    labels = [entry.label for entry in inputs]
    top = header_row(cells, labels)
    if top is None:
        heads = ", ".join(labels)
        return Rows((), (Problem(sheet, "", "", "the row of column heads is missing",
                                 f"Put back a row with: {heads}"),))  # fmt: skip
    found = match(sheet, _in_row(cells, top), labels, "column", _newer(inputs, version))
    columns = {e.key: found.places[e.label][1] for e in inputs if e.label in found.places}
    new = tuple(e for e in inputs if e.since > version and e.key not in columns)
    problems = [*found.problems, *_units(sheet, cells, top, columns, inputs, currency)]
    rows: list[Row] = []
    below = top + 1
    for number, is_note in _list_rows(cells, top, columns, inputs):
        below = number + 1
        if is_note:
            at = min(column for column in columns.values() if (number, column) in cells)
            problems.append(Problem(
                sheet, a1(number, at), show(cells[number, at]),
                "stands apart from the list and was taken for a note",
                "Leave it, or move it up to the list and fill in its row", Severity.NOTE,
            ))  # fmt: skip
            continue
        row, faults = _row(sheet, cells, columns, number, section, new)
        rows.append(row)
        problems += faults
    problems += _defaults_taken(rows, inputs)
    return Rows(tuple(rows), tuple(problems), new, columns=columns, next_line=below)


def _row(
    sheet: str, cells: Cells, columns: Mapping[str, int], lines: Mapping[str, int] | int,
    section: type[Sheet], new: Sequence[Input],
) -> tuple[Row, list[Problem]]:  # fmt: skip
    """A row's cells as settings.

    The row as a whole passes the schema at once; only one that does not is explained by cell.
    """
    values: dict[str, TemplateValue] = {entry.key: entry.default for entry in new}
    empty = {entry.key for entry in new}
    faults: dict[str, Fault] = {}
    for entry in inputs_of(section):
        key = entry.key
        if key not in columns:
            continue
        line = lines if isinstance(lines, int) else lines[key]
        raw = cells.get((line, columns[key]))
        if not is_blank(raw):
            value = convert(raw, entry)
            if isinstance(value, Fault):
                faults[key] = value
            else:
                values[key] = value
        elif entry.required:
            faults[key] = Fault("", f"{entry.label} is empty", f"Enter {entry.expects}")
        else:
            values[key] = entry.default
            empty.add(key)
    made, broken = _made(section, values)
    for key, text in broken.items():
        expects = next(entry.expects for entry in inputs_of(section) if entry.key == key)
        line = lines if isinstance(lines, int) else lines[key]
        found = show(cells.get((line, columns[key])))
        faults[key] = Fault(found, text, f"Enter {expects}")
        del values[key]
    row = Row(sheet, values, columns, lines, frozenset(empty), made)
    problems = [
        Problem(row.sheet, row.cell(key), fault.found, fault.expected, fault.fix)
        for key, fault in faults.items()
    ]
    return row, problems


def _defaults_taken(rows: Sequence[Row], inputs: Sequence[Input]) -> list[Problem]:
    """One note for all rows in which the same settings are empty and have a default."""
    with_default = [entry for entry in inputs if value_text(entry.default)]
    alike: dict[tuple[Input, ...], list[Row]] = {}
    for row in rows:
        bare = tuple(e for e in with_default if e.key in row.empty and e.key in row.columns)
        alike.setdefault(bare, []).append(row)
    notes = []
    for bare, theirs in alike.items():
        if bare:
            where = f" in {len(theirs)} rows" if len(theirs) > 1 else ""
            taken = ", ".join(f"{entry.label} {value_text(entry.default)}" for entry in bare)
            notes.append(Problem(
                theirs[0].sheet, theirs[0].cell(bare[0].key), f"Empty{where},",
                f"so this is taken: {taken}", "Enter what shall hold", Severity.NOTE,
            ))  # fmt: skip
    return notes


def _made(
    section: type[Sheet], values: Mapping[str, TemplateValue]
) -> tuple[Sheet | None, dict[str, str]]:
    """The row, or what the schema says against it by field; missing fields are told elsewhere."""
    try:
        return section.model_validate(values), {}
    except ValidationError as error:
        broken: dict[str, str] = {}
        for detail in error.errors(include_url=False):
            key = str(detail["loc"][0])
            if key in values:
                broken.setdefault(key, _in_words(detail["type"], detail.get("ctx", {})))
        return None, broken


def _in_words(kind: str, context: Mapping[str, object]) -> str:
    bound = next(iter(context.values()), "")
    limit = bound if isinstance(bound, str) else show(bound)
    return {
        "greater_than_equal": f"is below {limit}",
        "greater_than": f"is not above {limit}",
        "less_than_equal": f"is above {limit}",
        "less_than": f"is not below {limit}",
        "string_too_long": f"is longer than {limit} characters",
        "value_error": str(context.get("error", "is not allowed")),
    }.get(kind, "has another form than expected")


def _list_rows(
    cells: Cells, top: int, columns: Mapping[str, int], inputs: tuple[Input, ...]
) -> list[tuple[int, bool]]:
    """The filled rows below the heads; True for one that stands apart and is mostly empty."""
    ours = set(columns.values())
    needed = {columns[e.key] for e in inputs if e.required and e.key in columns}
    filled: dict[int, int] = {}  # row -> how many of the needed cells hold something
    for (row, column), value in cells.items():
        if row > top and column in ours and not is_blank(value):
            filled[row] = filled.get(row, 0) + (column in needed)
    rows, listed, last = [], False, top
    for row in sorted(filled):
        apart = listed and row > last + 1
        is_note = apart and 2 * filled[row] < len(needed)
        rows.append((row, is_note))
        listed, last = True, row
    return rows


def _units(
    sheet: str, cells: Cells, top: int, columns: Mapping[str, int],
    inputs: tuple[Input, ...], currency: str,
) -> list[Problem]:  # fmt: skip
    """Heads whose unit is not the setting's; for another currency's code a warning only."""
    problems = []
    for entry in inputs:
        if not entry.unit or entry.key not in columns:
            continue
        head = str(cells[top, columns[entry.key]])
        found, expected = unit_in(head), entry.shown_unit(currency)
        if not found or normal(found) == normal(expected):
            continue
        same_but_currency = (
            MONEY in entry.unit and found.partition("/")[2] == (expected.partition("/")[2])
        )
        severity = Severity.WARNING if same_but_currency else Severity.ERROR
        problems.append(Problem(
            sheet, a1(top, columns[entry.key]), f"'{head}'", f"is counted in {expected}",
            f"Check the values and name the column '{entry.header(currency)}'", severity,
        ))  # fmt: skip
    return problems


def _newer(inputs: Sequence[Input], version: int) -> set[str]:
    return {entry.label for entry in inputs if entry.since > version}


def _in_row(cells: Cells, row: int) -> list[tuple[tuple[int, int], object]]:
    return [item for item in cells.items() if item[0][0] == row]


def _label_column(cells: Cells, labels: list[str]) -> int:
    """The column that holds most of the labels; the first when none holds any."""
    wanted = {normal(label) for label in labels}
    hits: dict[int, int] = {}
    for (_, column), value in cells.items():
        if isinstance(value, str) and normal(value) in wanted:
            hits[column] = hits.get(column, 0) + 1
    return min(hits, key=lambda column: (-hits[column], column), default=1)
