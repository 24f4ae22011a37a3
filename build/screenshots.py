"""Walk through the planner's day in a real window and keep pictures of it in docs/screenshots.

Where there is no screen, one that is none (Xvfb) is started for each size. The day: make a sample
city, look at it, change a threshold, run, read the results, move a stop, plan again, send the
crew's mails to a mail server on this machine, try thresholds, compare the runs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
PICTURES = TOP / "docs" / "screenshots"
LIMIT_S = 600
WIDEST = 1600
FIRST, SECOND = ("light", 1366, 768), ("dark", 2560, 1440)


def main(argv: list[str]) -> int:
    """Both walks, or the one that is named by look, width, height and workbook."""
    if argv:
        look, width, height, folder = argv
        return walk(look, int(width), int(height), Path(folder))
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fleetdesk-walk-") as folder:
        for look, width, height in (FIRST, SECOND):
            with screen(width, height) as display:
                command = [sys.executable, __file__, look, str(width), str(height), folder]
                code = subprocess.run(command, env=display, check=False).returncode
            if code:
                return code
    return 0


@contextmanager
def screen(width: int, height: int) -> Iterator[dict[str, str]]:
    """The environment of a screen of this size, started where the system has Xvfb."""
    env = {**os.environ, "QT_QPA_PLATFORM": "xcb"}
    env.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    env.setdefault("PYTHONPATH", str(TOP / "src"))
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{width}x{height}x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            env["DISPLAY"] = f":{said.readline().strip()}"
        yield env
    finally:
        server.terminate()
        server.wait()


def walk(look: str, width: int, height: int, folder: Path) -> int:
    """One walk; the second finds the city that the first one made."""
    from fleetdesk.apps.desktop.app import make_app, make_window
    from fleetdesk.apps.desktop.memory import Memory

    app = make_app()
    memory = Memory(folder / f"{look}.ini")
    memory.remember("look", look)
    window = make_window(app, memory)
    window.resize(width, height)
    window.show()
    window.move(0, 0)
    failures: list[Any] = []
    window.desk.failed.connect(failures.append)
    steps = _Walk(window, f"{look}-{height}", failures)
    try:
        if look == FIRST[0]:
            steps.whole_day(folder / "Sample city")
        else:
            steps.second_look(folder / "Sample city" / "FleetDesk.xlsx")
    finally:
        window.close()
    for failure in failures:
        print(failure.text, file=sys.stderr)
    return 1 if failures else 0


class _Walk:
    def __init__(self, window: Any, name: str, failures: list[Any]) -> None:
        self._window, self._name, self._failures = window, name, failures

    def whole_day(self, city: Path) -> None:
        from fleetdesk.apps.desktop.pages.history import HistoryPage
        from fleetdesk.apps.desktop.pages.results import ResultsPage
        from fleetdesk.apps.desktop.pages.run import RunPage
        from fleetdesk.apps.desktop.pages.sandbox import SandboxPage
        from fleetdesk.apps.desktop.pages.settings import SettingsPage
        from fleetdesk.apps.desktop.pages.today import TodayPage

        window = self._window
        self._shoot("start")
        window.desk.start(
            "Making the sample city", "sample", folder=str(city), vehicles=220, days=14
        )
        self._settle()
        self._go(TodayPage)
        self._rest(3.0)
        self._shoot("today")

        settings = self._go(SettingsPage)
        row = next(
            n for n in range(settings.sheets.count())
            if settings.sheets.item(n).text().startswith("Thresholds")
        )  # fmt: skip
        settings.sheets.setCurrentRow(row)
        field = settings.editor("Thresholds").fields["low_battery_pct"]
        field.setText("400")
        self._rest(0.6)
        self._shoot("settings")
        field.setText("40")
        settings.save_changes()
        self._until(lambda: not settings.changes())

        with mail_server() as (port, mails):
            self._mail_settings(settings, port)
            run = self._go(RunPage)
            run.start.click()
            self._until(lambda: run.progress.value() > 300)
            self._shoot("run")
            self._settle()

            results = self._go(ResultsPage)
            results.choose("Thresholds result")
            self._settle()
            self._shoot("results")
            self._routes(mails)

        sandbox = self._go(SandboxPage)
        sandbox.try_out()
        self._settle()
        self._shoot("what-if")
        self._packages(sandbox)

        history = self._go(HistoryPage)
        history.runs.topLevelItem(history.runs.topLevelItemCount() - 1).setSelected(True)
        history.runs.topLevelItem(history.runs.topLevelItemCount() - 2).setSelected(True)
        history.compare.click()
        self._settle()
        self._shoot("history")

    def second_look(self, workbook: Path) -> None:
        from fleetdesk.apps.desktop.pages.results import ResultsPage
        from fleetdesk.apps.desktop.pages.routes import RoutesPage
        from fleetdesk.apps.desktop.pages.sandbox import SandboxPage
        from fleetdesk.apps.desktop.pages.settings import SettingsPage

        self._window.open(str(workbook))
        self._settle()
        self._rest(3.0)
        self._shoot("today")
        settings = self._go(SettingsPage)
        settings.sheets.setCurrentRow(settings.sheets.count() - 1)
        self._shoot("settings")
        results = self._go(ResultsPage)
        results.choose("Workload")
        self._settle()
        self._shoot("results")
        routes = self._go(RoutesPage)
        self._until(lambda: routes.price is not None)
        self._rest(3.0)
        self._shoot("routes")
        self._packages(self._go(SandboxPage))

    def _packages(self, sandbox: Any) -> None:
        """Make the dearest package cheaper and see what riders would do."""
        sandbox.tabs.setCurrentIndex(1)
        panel = sandbox.packages
        self._until(lambda: panel.outcome is not None)
        rows, before = panel.editor.model, panel.outcome
        column = [entry.key for entry in panel.editor.sheet.inputs].index("monthly_price")
        price = rows.rows[-1][column].value
        rows.setData(rows.index(rows.rowCount() - 1, column), str(round(0.7 * price)))
        self._until(lambda: panel.outcome is not before)
        self._settle()
        self._shoot("packages")

    def _routes(self, mails: list[Any]) -> None:
        from fleetdesk.apps.desktop.mail_dialog import MailDialog
        from fleetdesk.apps.desktop.pages.routes import RoutesPage

        page = self._go(RoutesPage)
        self._until(lambda: page.price is not None)
        worker = max(page.rounds.board.workers, key=lambda name: len(page.rounds.of(name)))
        rows = [stop.row for stop in page.rounds.of(worker)]
        moved = next(row for row in rows if page.rounds.shift(row, 2) or page.rounds.shift(row, 1))
        page.tree.choose(moved)
        page._changed()
        self._settle()
        self._rest(3.0)
        self._shoot("routes")
        page.solve()
        self._until(lambda: self._window.desk.busy)
        self._settle()
        self._until(lambda: page.rounds is not None and page.buttons["mail"].isEnabled())
        page.buttons["mail"].click()
        (dialog,) = self._window.findChildren(MailDialog)
        self._until(lambda: dialog.send.isEnabled())
        self._rest(0.5)
        self._shoot("mail")
        dialog.send.click()
        self._settle()
        assert mails, "no mail arrived"

    def _mail_settings(self, settings: Any, port: int) -> None:
        """Fill in the sheet Mail and the crew's addresses, as a planner would."""
        self._settle()
        mail = settings.editor("Mail")
        for key, text in {
            "host": "127.0.0.1", "port": str(port), "sender": "plan@fleet.example",
        }.items():  # fmt: skip
            mail.fields[key].setText(text)
        mail.fields["security"].setCurrentText("none")
        crew = settings.editor("Workers & vans")
        keys = [entry.key for entry in crew.sheet.inputs]
        for row in range(crew.model.rowCount()):
            index = crew.model.index(row, keys.index("email"))
            crew.model.setData(index, f"crew{row + 1}@fleet.example")
        settings.save_changes()
        self._until(lambda: not settings.changes())
        self._settle()

    def _go(self, kind: Any) -> Any:
        self._window.show_page(kind)
        self._settle()
        return self._window.page(kind)

    def _settle(self) -> None:
        desk = self._window.desk
        self._rest(0.2)
        self._until(lambda: not desk.reading and not desk.busy)
        self._rest(0.3)

    def _until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + LIMIT_S
        while not done():
            if time.monotonic() > end or self._failures:
                raise TimeoutError("the window did not get there")
            self._rest(0.05)

    def _rest(self, seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()

    def _shoot(self, what: str) -> None:
        from PIL import Image
        from PySide6.QtGui import QGuiApplication

        self._rest(0.3)
        path = PICTURES / f"{self._name}-{what}.png"
        QGuiApplication.primaryScreen().grabWindow(0).save(str(path), "PNG")
        with Image.open(path) as whole:
            picture = whole.convert("RGB")
        if picture.width > WIDEST:
            picture = picture.resize((WIDEST, picture.height * WIDEST // picture.width))
        # A window has few colours: 256 are enough, in a fraction of the bytes. Rare ones stay too.
        rare, plain = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
        picture.quantize(256, method=rare, kmeans=2, dither=plain).save(path, optimize=True)
        print(f"{path.relative_to(TOP)}  {path.stat().st_size // 1000} kB", flush=True)


@contextmanager
def mail_server() -> Iterator[tuple[int, list[Any]]]:
    """A mail server on this machine alone, and the mails that it was given."""
    from aiosmtpd.controller import Controller

    mails: list[Any] = []

    class Keeping:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            mails.append(envelope)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(Keeping(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield port, mails
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
