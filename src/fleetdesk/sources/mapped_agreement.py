"""Which mapping a file is read by: the planner's, one confirmed before, or a guess to confirm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleetdesk.errors import SourceUnreadable
from fleetdesk.model.tables import TABLES
from fleetdesk.model.typed_path import typed_path
from fleetdesk.sources.mapped_readers import RowFile
from fleetdesk.sources.mapped_rejects import PREFIX as REJECTED
from fleetdesk.sources.mapping import ColumnMapping, checked
from fleetdesk.sources.mapping_file import (
    PREFIX,
    as_text,
    is_confirmed,
    name_for,
    read_mapping,
    write_mapping,
)
from fleetdesk.sources.mapping_guess import Proposal, guess
from fleetdesk.sources.mapping_sample import Sample, sample_of

_SAMPLED_FILES = 5


class MappingNeeded(SourceUnreadable):
    """The planner has to confirm what the columns mean; `proposal` is what was guessed."""

    def __init__(self, cause: str, fix: str, proposal: Proposal, path: Path) -> None:
        super().__init__(cause, fix=fix)
        self.proposal = proposal
        self.path = path

    def as_dict(self) -> dict[str, object]:
        """The parts, with the guess line by line."""
        lines = [
            {"column": g.column, "meaning": g.target, "form": g.form, "confidence": g.confidence,
             "remark": g.remark, "examples": list(g.examples)}
            for g in self.proposal.guesses
        ]  # fmt: skip
        return super().as_dict() | {
            "mapping": str(self.path), "table": self.proposal.table, "columns": lines,
            "missing": list(self.proposal.missing),
        }  # fmt: skip


@dataclass(frozen=True)
class Say:
    """What the planner said of the mapping; empty texts mean nothing.

    `folder` is where mappings lie; `confirm` accepts the guess, `trust` does so without keeping it
    unless a position could be read either way.
    """

    folder: Path
    mapping: str = ""
    confirm: bool = False
    trust: bool = False
    table: str = ""
    timezone: str = ""


def agreed(
    name: str, files: Sequence[RowFile], sample: Callable[[], Sample], say: Say
) -> tuple[ColumnMapping, tuple[str, ...]]:
    """The mapping to read by and notes on it; MappingNeeded with the guess when there is none.

    A guess that waits for confirmation is written to `mapping for NAME.csv`, never over one that
    the planner may have worked on.
    """
    if say.mapping:
        found = read_mapping(_given(say))
        return found.mapping, (f"Read by {found.path.name}.",)
    if not say.confirm and not say.trust:
        kept = _confirmed_before(name, files, say)
        if kept:
            return kept
    proposal = guess(
        sample(), table=say.table, timezone=say.timezone, folder=len(files) > 1
    )  # fmt: skip
    path = say.folder / name_for(name)
    trusted = say.trust and not proposal.either_way
    if say.trust and not (trusted or say.confirm):
        kept = _confirmed_before(name, files, say)
        if kept:
            return kept
    if proposal.missing or not (say.confirm or trusted):
        raise _needed(name, proposal, path, say)
    if say.confirm:
        write_mapping(path, replace(proposal, confirmed=True))
    kept_in = f" Kept in {path.name}." if say.confirm else ""
    return checked(proposal.mapping), (f"Read as {proposal.table}:\n{as_text(proposal)}{kept_in}",)


def _given(say: Say) -> Path:
    """The mapping that was named: a path, or a file of the workspace."""
    path = typed_path(say.mapping)
    return path if path.is_file() else say.folder / say.mapping


def _confirmed_before(
    name: str, files: Sequence[RowFile], say: Say
) -> tuple[ColumnMapping, tuple[str, ...]] | None:
    """A confirmed mapping of this file, or of one with the same columns."""
    own = say.folder / name_for(name.removeprefix(REJECTED))
    columns = {column for file in files for column in file.header}
    for path in sorted(say.folder.glob(f"{PREFIX}*.csv"), key=lambda path: path != own):
        if not is_confirmed(path):
            continue
        try:
            found = read_mapping(path)
        except SourceUnreadable:
            if path == own:
                raise
            continue
        if path == own or found.columns <= columns:
            return found.mapping, (f"Read by {path.name}, which is confirmed.",)
    return None


def common_sample(files: Sequence[RowFile]) -> Sample:
    """Rows of some files that have the most common columns."""
    shapes = Counter(frozenset(file.header) for file in files)
    commonest = shapes.most_common(1)[0][0]
    return sample_of([f for f in files if frozenset(f.header) == commonest][:_SAMPLED_FILES])


def _needed(name: str, proposal: Proposal, path: Path, say: Say) -> MappingNeeded:
    waiting = path.exists() and not say.confirm
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mapping(path, proposal)
    grain = TABLES[proposal.table].grain
    head = f"{name} seems to hold {proposal.table}, {grain} per row:\n{as_text(proposal)}\n"
    if proposal.missing:
        cause = f"{head}It cannot be imported so: {', '.join(proposal.missing)} is missing"
        fix = (
            f"Enter in {path} which column means it, or a line (value), and yes beside "
            "(confirmed); then import again. Another table is chosen with --option table=NAME"
        )
    else:
        cause = f"{head}Nothing was imported yet: please confirm what the columns mean"
        fix = (
            "If this is right, import again with --option confirm=yes; else correct "
            f"{path}, enter yes there beside (confirmed) and import again"
        )
    if waiting:
        cause += f". {path.name} is there already and was left as it is"
    return MappingNeeded(cause, fix, proposal, path)
