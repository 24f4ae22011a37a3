"""The analyses and how a run answers them: each name of the list is a module in `answers`.

Such a module has `answer(ask) -> Answer` and `empty(settings) -> sheets before the first run`; what
is heavy it loads only when it answers. An action has `act(context, option, on_progress) -> Answer`
instead: it looks at what was published, not at records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from fleetdesk.errors import FleetDeskError, NotEnoughData, Problem, Severity
from fleetdesk.model.analyses import ANALYSES
from fleetdesk.model.analysis import Analysis
from fleetdesk.settings.schema import Settings
from fleetdesk.settings.words import closest
from fleetdesk.sheets.base import ResultSheet
from fleetdesk.workflows.context import Context
from fleetdesk.workflows.import_options import WrongUsage
from fleetdesk.workflows.known import Known
from fleetdesk.workflows.progress import OnProgress, part


@dataclass(frozen=True)
class Ask:
    """What an analysis works with: the run's surroundings and the records it may look at."""

    context: Context
    record: Known
    on_progress: OnProgress

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        return self.context.settings


@dataclass(frozen=True)
class Answer:
    """What an analysis found.

    `headline` is one sentence for people, `summary` the figures that the ledger keeps of the run,
    `files` texts and pictures to be kept beside it, by path in the run's folder.
    """

    sheets: tuple[ResultSheet, ...]
    headline: str
    notes: tuple[Problem, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)


def asked(settings: Settings, only: Sequence[str] = ()) -> tuple[Analysis, ...]:
    """The analyses to run: those named, else those that the sheet Questions asks for."""
    names = [known.name for known in ANALYSES]
    if unknown := [name for name in only if name not in names]:
        alike = closest(unknown[0], names)
        raise WrongUsage(
            f"There is no question named {unknown[0]}",
            found=f"the questions are {', '.join(names)}",
            fix=f"Did you mean {alike!r}?" if alike else "fleetdesk questions says what they ask",
        )
    chosen = tuple(
        known
        for known in ANALYSES
        if (known.name in only if only else getattr(settings.questions, known.name))
    )
    if not chosen:
        raise FleetDeskError(
            "No question is asked",
            found="every row of the sheet Questions says no",
            fix="Set one to yes, or name one with --only",
        )
    return chosen


def answers(
    context: Context,
    record: Known,
    analyses: Sequence[Analysis],
    on_progress: OnProgress,
) -> tuple[Answer, ...]:
    """Answer one after the other.

    One that lacks data empties its sheets and says so; where all do, NotEnoughData tells of each.
    """
    found, lacks = [], {}
    for number, analysis in enumerate(analyses):
        report = part(on_progress, number / len(analyses), (number + 1) / len(analyses))
        on_progress(analysis.title, number / len(analyses))
        try:
            found.append(_module(analysis).answer(Ask(context, record, report)))
        except NotEnoughData as lack:
            if len(analyses) == 1:
                raise
            lacks[analysis.title] = lack
            found.append(_without(analysis, lack, context.settings))
    if lacks and len(lacks) == len(analyses):
        raise NotEnoughData(
            "None of the questions can be answered",
            found="; ".join(f"{title}: {_in_short(lack)}" for title, lack in lacks.items()),
            fix=". ".join(dict.fromkeys(lack.fix.rstrip(".") for lack in lacks.values())),
        )
    return tuple(found)


def acted(
    context: Context,
    actions: Sequence[Analysis],
    options: Mapping[str, Any],
    on_progress: OnProgress,
) -> tuple[Answer, ...]:
    """Do one after the other; `options` by name are what was said on the command line."""
    return tuple(
        _module(action).act(context, options.get(action.name), on_progress) for action in actions
    )


def empty_sheets_of(
    settings: Settings, analyses: Sequence[Analysis] = ANALYSES
) -> Iterator[ResultSheet]:
    """The sheets of analyses before their first run, in the order in which they are read."""
    for analysis in analyses:
        yield from _module(analysis).empty(settings)


def listing() -> Mapping[str, Any]:
    """Every analysis with its question, for the command line."""
    width = max(len(known.name) for known in ANALYSES)
    return {
        "questions": [
            {
                "name": known.name,
                "title": known.title,
                "question": known.question,
                "group": known.group.value,
                "sheets": list(known.sheets),
                "page": known.page,
            }
            for known in ANALYSES
        ],
        "text": "\n".join(f"{known.name:<{width}}  {known.question}" for known in ANALYSES),
    }


def _module(analysis: Analysis) -> Any:
    return import_module(f"fleetdesk.workflows.answers.{analysis.name}")


def _without(analysis: Analysis, lack: NotEnoughData, settings: Settings) -> Answer:
    told = f"not answered: {_in_short(lack)}"
    note = Problem(analysis.title, "", "", told, lack.fix, Severity.NOTE)
    sheets = tuple(
        replace(sheet, note=f"Not answered: {lack}") for sheet in _module(analysis).empty(settings)
    )
    return Answer(sheets, f"{analysis.title}: not answered.", (note,))


def _in_short(lack: NotEnoughData) -> str:
    """Cause and what was found, without the fix."""
    return f"{lack.cause} ({lack.found})" if lack.found else lack.cause
