"""A mapping as a small CSV that opens in a spreadsheet: guessed, corrected by the planner, read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES
from fleetdesk.sources.csv_file import encoding_of
from fleetdesk.sources.mapping import (
    DATE,
    POSITION,
    TIME_OF_DAY,
    ColumnMapping,
    ColumnRule,
    checked,
    prefixes,
    target_columns,
)
from fleetdesk.sources.mapping_forms import POSITIONS, checked_form, forms_of
from fleetdesk.sources.mapping_guess import CHECK, Proposal

PREFIX = "mapping for "
HEADER = ("your column", "examples", "our column", "unit or form", "confidence", "remark")
_CONFIRMED, _TABLE, _ZONE, _DECIMAL = "(confirmed)", "(table)", "(time zone)", "(decimal sign)"
_VALUE, _MISSING, _KNOWN = "(value)", "(not found)", "(not used yet)"
_FORMULA = ("=", "+", "-", "@")
_YES = ("yes", "true", "1", "y")
_MAX_BYTES = 2**20
_HELP = "correct columns C and D below, write yes in C here, save as CSV, import again"
_ASK_ZONE = "times here carry no zone: enter theirs, such as Europe/Athens"
_ASK_COLUMN = "needed: enter it in C beside the column that means it, or in a line (value)"


@dataclass(frozen=True)
class MappingFile:
    """What such a file says."""

    path: Path
    mapping: ColumnMapping
    columns: frozenset[str]
    """All columns of the file that it was made for."""


def name_for(source: str) -> str:
    """`mapping for trips.csv`."""
    return f"{PREFIX}{as_csv(source)}"


def as_csv(name: str) -> str:
    """A file's name as that of a CSV beside it: trips.xlsx.csv, and trips.csv of trips.csv.gz."""
    plain = name.removesuffix(".gz")
    return plain if plain.lower().endswith(".csv") else f"{plain}.csv"


def write_mapping(path: Path, proposal: Proposal) -> None:
    """Write the proposal; the file appears whole or not at all."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows([_safe(cell) for cell in row] for row in _lines(proposal))
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(out.getvalue(), encoding="utf-8-sig", newline="")
    draft.replace(path)


def read_mapping(path: Path) -> MappingFile:
    """Read what `write_mapping` wrote and a planner or spreadsheet changed.

    SourceUnreadable names what cannot be used; the delimiter may have become ; or a tab.
    """
    columns: set[str] = set()
    rules, constants = [], []
    said = {_CONFIRMED: "", _TABLE: "", _ZONE: "UTC", _DECIMAL: "."}
    for name, _, target, form, *_ in _rows(path):
        if name in said:
            said[name] = target or said[name]
        elif name == _VALUE and target:
            constants.append((target, form))
        elif name not in (_VALUE, _MISSING, _KNOWN):
            columns.add(name)
            if target:
                rules.append(ColumnRule(name, target, form))
    mapping = ColumnMapping(
        said[_TABLE], tuple(rules), tuple(constants), said[_ZONE], said[_DECIMAL]
    )
    return MappingFile(path, with_known_forms(checked(mapping)), frozenset(columns))


def is_confirmed(path: Path) -> bool:
    """Whether the planner has written yes, even if the rest cannot be used yet."""
    try:
        return any(row[0] == _CONFIRMED and row[2].lower() in _YES for row in _rows(path))
    except SourceUnreadable:
        return False


def with_known_forms(mapping: ColumnMapping) -> ColumnMapping:
    """The same with every form spelt as the readers know it; SourceUnreadable for strange ones."""
    columns = target_columns(TABLES[mapping.table])
    rules = []
    for rule in mapping.rules:
        if rule.target.endswith(POSITION):
            known = {form.casefold(): form for form in POSITIONS}
            form = known.get((rule.form or POSITIONS[0]).casefold(), "")
            if not form:
                raise SourceUnreadable(
                    "The mapping cannot be used",
                    found=f"{rule.target} is said to be written as {rule.form!r}",
                    fix=f"Known are {'; '.join(POSITIONS)}",
                )
        else:
            form = checked_form(columns[rule.target], rule.form)
        rules.append(replace(rule, form=form))
    for target in {rule.target for rule in rules}:
        parts = [rule.form for rule in rules if rule.target == target]
        if any(f == TIME_OF_DAY for f in parts) and len(parts) == 1:
            raise SourceUnreadable(
                "The mapping cannot be used",
                found=f"{target} has a time of day and no date",
                fix=f"Give {target} to the date's column too, in a form that begins {DATE!r}",
            )
    return replace(mapping, rules=tuple(rules))


def as_text(proposal: Proposal) -> str:
    """The proposal as a table for the screen: your column -> our column."""
    used = [guess for guess in proposal.guesses if guess.target]
    width = max([len(guess.column) for guess in used] + [8])
    right = max([len(_meaning(g.target, g.form)) for g in used] + [8])
    lines = [
        f"  {g.column:<{width}} -> {_meaning(g.target, g.form):<{right}}  "
        + ", ".join(filter(None, [g.confidence, g.remark if g.remark != g.confidence else ""]))
        for g in used
    ]  # fmt: skip
    lines = [line.rstrip() for line in lines]
    lines += [f"  {'(the same for all)':<{width}} -> {name} = {value}"
              for name, value in proposal.constants]  # fmt: skip
    unused = [guess.column for guess in proposal.guesses if not guess.target]
    if unused:
        lines.append(f"  Not used: {', '.join(unused)}.")
    if proposal.local:
        lines.append(f"  Times that carry no zone are taken as {proposal.timezone}.")
    if proposal.missing:
        lines.append(f"  MISSING, and needed: {', '.join(proposal.missing)}.")
    return "\n".join(lines)


def _meaning(target: str, form: str) -> str:
    return f"{target} ({form})" if form else target


def _lines(proposal: Proposal) -> Iterator[Sequence[str]]:
    """What stands below the header."""
    table = TABLES[proposal.table]
    yield _CONFIRMED, "", "yes" if proposal.confirmed else "no", "", "", _HELP
    yield _TABLE, "", table.name, "", "", f"one row is {table.grain}"
    asked = (CHECK, _ASK_ZONE) if proposal.local else ("", "")
    yield _ZONE, "", proposal.timezone, "", *asked
    yield _DECIMAL, "", proposal.decimal, "", "", ""
    for name in proposal.missing:
        yield _MISSING, "", name, "", CHECK, _ASK_COLUMN
    for name, value in proposal.constants:
        yield _VALUE, "", name, value, "", "the same for all rows"
    for guess in proposal.guesses:
        shown = " | ".join(text[:40] for text in guess.examples)
        yield guess.column, shown, guess.target, guess.form, guess.confidence, guess.remark
    given = proposal.mapping.targets
    for name, column in target_columns(table).items():
        if name not in given and not name.endswith("cell"):
            forms = "; ".join(forms_of(column))
            yield _KNOWN, "", name, "", "", f"{column.help}{f' ({forms})' if forms else ''}"
    for prefix in prefixes(table):
        if f"{prefix}lat" not in given:
            forms = "; ".join(POSITIONS)
            yield _KNOWN, "", f"{prefix}{POSITION}", "", "", f"both in one text ({forms})"


def _rows(path: Path) -> Iterator[list[str]]:
    if not path.is_file():
        raise SourceUnreadable(f"There is no mapping {path.name}", found=str(path))
    if path.stat().st_size > _MAX_BYTES:
        raise SourceUnreadable(f"{path.name} is too big to be a mapping", found="more than 1 MB")
    text = path.read_bytes().decode(encoding_of(path), errors="replace").lstrip("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = iter(csv.reader(io.StringIO(text), delimiter=delimiter))
    header = [cell.strip().lower() for cell in next(rows, [])]
    if tuple(header[:4]) != HEADER[:4]:
        raise SourceUnreadable(
            f"{path.name} is not a mapping",
            found=f"a first row {first[:60]!r}",
            fix=f"It begins with the columns {', '.join(HEADER[:4])}",
        )
    for cells in rows:
        row = [_unsafe(cell.strip()) for cell in cells] + [""] * (4 - len(cells))
        if row[0] or row[2]:
            yield [row[0], row[1], row[2], row[3]]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unsafe(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
