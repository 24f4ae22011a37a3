"""Walk through the planner's day in a real window and keep pictures of it in docs/screenshots.

Light and dark, on a small screen and on a large one: `light-768`, `dark-768`, `light-1440`,
`dark-1440`; all four, or those that are named. Each walk has a screen that is none (Xvfb) and a
copy of the sample city that the first start makes; smaller ones hardly pay for a crew. The day:
look at the city, change a threshold, run, read the results, move a stop, see why tasks are left
out, plan again, send the crew's mails to a mail server on this machine, try thresholds and prices,
compare the runs.

Nothing is waited for by the clock: a picture is taken once what it shows is there and still.
"""

from __future__ import annotations

import os
import shutil
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
LOOKS = ("light", "dark")
SCREENS = {768: 1366, 1440: 2560}
WALKS = [f"{look}-{height}" for height in SCREENS for look in LOOKS]
ONE_WALK = "--one-walk"
LIMIT_S = 900
# Whether the map is drawn at the size of its view and shows all of what it frames, not more.
FITTED = """(() => {
  if (innerWidth !== %d || innerHeight !== %d || document.readyState !== "complete") return false;
  const map = Object.values(window).find((one) => one instanceof L.Map);
  const { frame } = JSON.parse(document.getElementById("fleetdesk-data").textContent);
  const zoom = Math.min(16, map.getBoundsZoom(frame, false, [64, 64]));
  return map.getBounds().contains(frame) && map.getZoom() === zoom;
})()"""


def main(argv: list[str]) -> int:
    """All walks, or those that are named; the first that fails ends it."""
    if argv[:1] == [ONE_WALK]:
        return walk(argv[1], Path(argv[2]))
    unknown = [name for name in argv if name not in WALKS]
    if unknown:
        print(f"There is no walk {unknown[0]}; there is: {', '.join(WALKS)}.", file=sys.stderr)
        return 2
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fleetdesk-walk-") as folder:
        for name in argv or WALKS:
            height = int(name.partition("-")[2])
            with screen(SCREENS[height], height) as display:
                command = [sys.executable, __file__, ONE_WALK, name, folder]
                code = subprocess.run(command, env=display, check=False).returncode
            if code:
                return code
    return 0


@contextmanager
def screen(width: int, height: int) -> Iterator[dict[str, str]]:
    """The environment of a screen of this size."""
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


def walk(name: str, folder: Path) -> int:
    """One walk; the first one makes the sample city, and each goes on with a copy of it."""
    from fleetdesk.apps.desktop.app import make_app, make_window
    from fleetdesk.apps.desktop.memory import Memory
    from fleetdesk.apps.desktop.work.messages import Failure

    app = make_app()
    app.setCursorFlashTime(0)
    memory = Memory(folder / name / "desktop.ini")
    memory.remember("look", name.partition("-")[0])
    window = make_window(app, memory)
    window.resize(app.primaryScreen().size())
    window.show()
    window.move(0, 0)
    failures: list[Any] = []
    window.desk.failed.connect(failures.append)
    window.desk.ended.connect(
        lambda _, outcome, __: failures.append(outcome) if isinstance(outcome, Failure) else None
    )
    try:
        _Walk(window, name, failures).day(folder / "Sample city", folder / name / "Sample city")
    except TimeoutError as late:
        print(f"{name}: {late}", *(failure.text for failure in failures), file=sys.stderr)
        return 1
    finally:
        window.close()
    return 0


class _Walk:
    def __init__(self, window: Any, name: str, failures: list[Any]) -> None:
        self._window, self._name, self._failures = window, name, failures

    def day(self, made: Path, city: Path) -> None:
        """From the first start to the last look at what came of the day."""
        self._shoot("start")
        if not made.exists():
            self._window.make_sample(str(made))
            self._settle()
        shutil.copytree(made, city)
        self._window.open(str(city / "FleetDesk.xlsx"))
        self._settle()
        self._shoot("today")
        with mail_server() as (port, mails):
            self._settings(port)
            self._run()
            self._routes()
            self._mail(mails)
        self._what_if()
        self._history()

    def _settings(self, port: int) -> None:
        """Mistype a threshold, mend it, and say where the crew's mails go."""
        from fleetdesk.apps.desktop.pages.settings import SettingsPage

        page = self._go(SettingsPage)
        page.choose("Thresholds")
        field = page.editor("Thresholds").fields["low_battery_pct"]
        field.setText("400")
        self._settle()
        self._shoot("settings")
        field.setText("40")
        mail = page.editor("Mail")
        for key, text in {
            "host": "127.0.0.1", "port": str(port), "sender": "plan@fleet.example",
        }.items():  # fmt: skip
            mail.fields[key].setText(text)
        mail.fields["security"].setCurrentText("none")
        crew = page.editor("Workers & vans")
        email = [entry.key for entry in crew.sheet.inputs].index("email")
        for row in range(crew.model.rowCount()):
            crew.model.setData(crew.model.index(row, email), f"crew{row + 1}@fleet.example")
        parkings = page.editor("Parkings")
        parkings.model.setData(parkings.model.index(0, 1), "Πλατεία Αριστοτέλους")
        page.choose("Workers & vans")
        self._settle()
        self._shoot("crew")
        page.save_changes()
        self._until(lambda: not page.changes(), "saved settings")
        self._settle()

    def _run(self) -> None:
        from fleetdesk.apps.desktop.pages.results import ResultsPage
        from fleetdesk.apps.desktop.pages.run import RunPage

        run = self._go(RunPage)
        run.start.click()
        self._until(lambda: run.progress.value() > 300, "progress of the run")
        self._shoot("run", moving=True)
        self._settle()
        results = self._go(ResultsPage)
        results.choose("Thresholds result")
        self._settle()
        self._shoot("results")

    def _routes(self) -> None:
        """Move a stop, see what that costs and why tasks are left out, and plan again."""
        from fleetdesk.apps.desktop.pages.routes import RoutesPage

        page = self._go(RoutesPage)
        self._until(lambda: page.price is not None, "price of the routes")
        worker = max(page.rounds.board.workers, key=lambda name: len(page.rounds.of(name)))
        for stop in page.rounds.of(worker):
            page.tree.choose(stop.row)
            page.buttons["down"].click()
            if page.rounds.changed:
                break
        self._settle()
        self._shoot("routes")
        page.tabs.setCurrentIndex(1)
        page.left_out.selectRow(0)
        self._shoot("left-out")
        page.tabs.setCurrentIndex(0)
        page.solve()
        self._until(lambda: self._window.desk.busy, "planning")
        self._settle()
        self._until(page.buttons["mail"].isEnabled, "new routes")

    def _mail(self, mails: list[Any]) -> None:
        from fleetdesk.apps.desktop.mail_dialog import MailDialog
        from fleetdesk.apps.desktop.pages.routes import RoutesPage

        self._window.page(RoutesPage).buttons["mail"].click()
        (dialog,) = self._window.findChildren(MailDialog)
        self._until(dialog.send.isEnabled, "written mails")
        self._shoot("mail")
        dialog.send.click()
        self._until(lambda: bool(mails), "a mail")
        self._settle()

    def _what_if(self) -> None:
        """Try thresholds; then make a package of the middle dearer and see what riders would do."""
        from fleetdesk.apps.desktop.pages.sandbox import SandboxPage

        page = self._go(SandboxPage)
        page.try_out()
        self._settle()
        self._shoot("what-if")
        page.tabs.setCurrentIndex(1)
        panel = page.packages
        self._until(lambda: panel.outcome is not None, "today's packages")
        rows, before = panel.editor.model, panel.outcome
        column = [entry.key for entry in panel.editor.sheet.inputs].index("monthly_price")
        price = rows.rows[1][column].value
        rows.setData(rows.index(1, column), str(round(1.3 * price)))
        self._settle()
        self._until(lambda: panel.outcome is not before, "the trial of a package")
        self._shoot("packages")

    def _history(self) -> None:
        """Compare the city's first plan with the one after the threshold was changed."""
        from fleetdesk.apps.desktop.pages.history import HistoryPage

        page = self._go(HistoryPage)
        for back in (1, 2):
            page.runs.topLevelItem(page.runs.topLevelItemCount() - back).setSelected(True)
        page.compare.click()
        self._settle()
        self._shoot("history")

    def _go(self, kind: Any) -> Any:
        self._window.show_page(kind)
        self._settle()
        return self._window.page(kind)

    def _settle(self) -> None:
        """Until nothing is read, worked out or about to be."""
        self._until(self._at_rest, "rest")

    def _at_rest(self) -> bool:
        from PySide6.QtCore import QTimer

        desk = self._window.desk
        timers = [timer for page in self._window.pages for timer in page.findChildren(QTimer)]
        waiting = any(timer.isActive() and timer.isSingleShot() for timer in timers)
        return not (desk.reading or desk.busy or waiting)

    def _until(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LIMIT_S
        self._rest(0.1)
        while not done():
            if time.monotonic() > end or self._failures:
                raise TimeoutError(f"waited in vain for {what}")
            self._rest(0.1)

    def _rest(self, seconds: float) -> None:
        from PySide6.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()

    def _shoot(self, what: str, *, moving: bool = False) -> None:
        """Keep a picture, once the map fits and, unless things are moving, all stands still."""
        from PySide6.QtGui import QGuiApplication, QImage

        seen = [QImage()]

        def still() -> bool:
            seen.append(QGuiApplication.primaryScreen().grabWindow(0).toImage())
            return moving or seen[-1] == seen[-2]

        self._until(self._maps_fit, "a map that fits")
        self._until(still, f"a still picture of {what}")
        path = PICTURES / f"{self._name}-{what}.png"
        seen[-1].save(str(path), "PNG")
        shrink(path)
        print(f"{path.relative_to(TOP)}  {path.stat().st_size // 1000} kB", flush=True)

    def _maps_fit(self) -> bool:
        from fleetdesk.apps.desktop.widgets.map_view import MapView

        fits = []
        shown = [one for one in self._window.findChildren(MapView) if one.isVisible() and one._view]
        for view in shown:
            script = FITTED % (view._view.width(), view._view.height())
            view._view.page().runJavaScript(script, 0, fits.append)
        self._rest(0.2)
        return len(fits) == len(shown) and all(fits)


def shrink(path: Path) -> None:
    """A window has few colours: 256 are enough, in a fraction of the bytes; rare ones stay too."""
    from PIL import Image

    with Image.open(path) as whole:
        picture = whole.convert("RGB")
    rare, plain = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    picture.quantize(256, method=rare, kmeans=2, dither=plain).save(path, optimize=True)


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
