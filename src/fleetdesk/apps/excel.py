"""The Run button inside Excel: does what the launcher asks and says there how it went."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from fleetdesk.apps.console import lines_of, unexpected
from fleetdesk.errors import FleetDeskError, WorkbookRefused
from fleetdesk.sheets.excel_app import PREFIX
from fleetdesk.sheets.excel_launcher import Action, Launcher
from fleetdesk.sheets.excel_live import ExcelLive
from fleetdesk.workflows.context import MAP_NAME, OUTPUTS_FOLDER, STORE_FOLDER, Clock, utc_now

Opener = Callable[[str], object]


def main() -> None:
    """Called by the module beside the launcher; nothing ever leaves it but a message."""
    press(Launcher.calling())


def press(launcher: Launcher, clock: Clock = utc_now, show: Opener = webbrowser.open) -> None:
    """Do what the launcher says on the workbook beside it; `show` opens an address."""

    def work() -> str:
        launcher.say("Working ...")
        action, path = launcher.action(), file_of(launcher.workbook())
        launcher.say(f"{path.name}: {action} ...")
        return _do(action, path, clock, show)

    launcher.say(_in_words(work))


def answer(
    action: str, name: str, file: Path, clock: Clock = utc_now, show: Opener = webbrowser.open
) -> None:
    """For the ribbon add-in: do `action` on an open workbook, write what came of it to a file."""
    text = _in_words(lambda: _do(Action(action), file_of(name), clock, show))
    file.write_text(text, encoding="utf-8")


def _in_words(work: Callable[[], str]) -> str:
    try:
        return work()
    except FleetDeskError as error:
        return lines_of(error)
    except Exception as error:  # noqa: BLE001 - the last door before the planner
        return str(unexpected(error)["cause"])


def file_of(name: str) -> Path:
    """Where an open workbook lies; its folder is the workspace."""
    path = ExcelLive(name).path
    if path is None or not (path.parent / STORE_FOLDER).is_dir():
        raise WorkbookRefused(
            f"{name} does not lie in a workspace of FleetDesk",
            found=str(path.parent) if path else "it was not saved to a folder on this computer",
            fix="Save it into the folder that fleetdesk import or demo has made",
        )
    return path


def _do(action: Action, path: Path, clock: Clock, show: Opener) -> str:
    address, folder = PREFIX + path.name, path.parent
    match action:
        case Action.RUN:
            from fleetdesk.workflows.run import run_workbook

            return str(run_workbook(address, folder=folder, clock=clock).as_dict()["text"])
        case Action.CHECK:
            from fleetdesk.workflows.run import check_workbook

            return str(check_workbook(address, folder=folder).as_dict()["text"])
        case Action.UNDO:
            from fleetdesk.workflows.undo_excel import undo_in_excel

            return str(undo_in_excel(path.name, folder, clock=clock).as_dict()["text"])
        case Action.OPEN_MAP:
            return _open_map(path, show)


def _open_map(workbook: Path, show: Opener) -> str:
    from fleetdesk.workflows.context import store_of
    from fleetdesk.workflows.undo_excel import last_run_in_excel

    folder = workbook.parent
    with store_of(folder) as store:
        run = last_run_in_excel(store, workbook.name)
    path = folder / OUTPUTS_FOLDER / run.run_id / MAP_NAME if run else None
    if path is None or not path.exists():
        raise FleetDeskError(
            "There is no map yet", found="no finished run of this workbook", fix="Choose run first"
        )
    show(path.as_uri())
    return f"Map       {path}"


if __name__ == "__main__":
    answer(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
