"""What an analysis is: a question, the tables it needs, and the sheets that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What an analysis is about, in the order in which planners meet them."""

    PLAN = "Plan"
    RIDERS = "Riders"
    BATTERIES = "Batteries"


@dataclass(frozen=True, slots=True)
class Analysis:
    """A question that a run can answer; command line, workbook and app are drawn from these.

    `name` is its word on the command line, `inputs` are canonical tables, `settings` the sections
    it reads, `sheets` the result sheets in the order in which they are read, `page` the file of its
    page in the folder docs. `asked` says whether a new workbook asks it on every run; an `action`
    does something with what was published, so it comes after the others and in a run of its own.
    """

    name: str
    title: str
    question: str
    group: Group
    inputs: tuple[str, ...]
    settings: tuple[str, ...]
    sheets: tuple[str, ...]
    page: str
    asked: bool = False
    action: bool = False
