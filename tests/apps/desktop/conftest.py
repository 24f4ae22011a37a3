"""The window without a screen; a warning of Qt, or a thread that stays behind, fails a test."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot start here", exc_type=ImportError)

from PySide6.QtCore import QThreadPool, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from fleetdesk.apps.desktop.app import make_app, make_window
from fleetdesk.apps.desktop.desk import Desk
from fleetdesk.apps.desktop.memory import Memory
from fleetdesk.apps.desktop.widgets import map_view
from fleetdesk.apps.desktop.window import MainWindow
from fleetdesk.simulation.city import demo_city
from fleetdesk.workflows.demo import city_settings, run_demo
from fleetdesk.workflows.workspace import make_workbook

HERE = Path(__file__).parent
LONG_MS = 180_000
HARMLESS = (
    "This plugin does not support",
    "QRhiGles2",
    "Failed to create RHI",
    "QVulkanInstance",
    "GBM is not supported",
    "Sandboxing disabled",
    "GPUInfo not initialized",
)
Opened = Callable[[], MainWindow]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.qt_log_level_fail("WARNING"))
            item.add_marker(pytest.mark.qt_log_ignore(*HARMLESS, extend=True))


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    """The application as the app makes it: the map's scheme has to be known before."""
    return make_app()


@pytest.fixture(scope="session")
def made_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "city"
    folder.mkdir()
    settings = city_settings(demo_city(vehicles=50, days=5), seed=3)
    # What a vehicle earns itself pays for more visits in a city so small than the fleet's gain.
    # Its few tasks are soon routed.
    changes = {
        "thresholds": {"roi_level": "scooter", "bootstrap_rounds": 5},
        "city": {"search_effort": 50},
    }
    quick = {name: getattr(settings, name).model_copy(update=new) for name, new in changes.items()}
    make_workbook(folder / "FleetDesk.xlsx", settings.model_copy(update=quick))
    run_demo(folder, seed=3, vehicles=50, days=5)
    return folder


@pytest.fixture
def city(made_city: Path, tmp_path: Path) -> Path:
    """The workbook of a small city that has been planned once, in a folder with a Greek name."""
    folder = Path(shutil.copytree(made_city, tmp_path / "Θεσσαλονίκη"))
    return folder / "FleetDesk.xlsx"


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    memory = Memory(tmp_path / "kept" / "desktop.ini")
    memory.remember("look", "light")
    return memory


@pytest.fixture
def maps() -> None:
    """Asked for by tests that want maps: the web engine takes seconds to start."""


@pytest.fixture(autouse=True)
def _only_what_is_needed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started ahead, questions get a yes, and maps are shown where a test wants."""
    yes = QMessageBox.StandardButton.Yes
    monkeypatch.setattr(QMessageBox, "question", lambda *_: yes)
    monkeypatch.setattr(Desk, "warm", lambda _: None)
    if "maps" not in request.fixturenames:
        monkeypatch.setattr(map_view, "MAPS", False)


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot, memory: Memory) -> Iterator[MainWindow]:
    """The window before any workbook; nothing of it may stay behind."""
    made = make_window(qapp, memory)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()
    running = [timer for timer in made.findChildren(QTimer) if timer.isActive()]
    # Animations of Qt's own styles and item views end by themselves; ours must have ended.
    assert not [timer for timer in running if timer.parent() in (made, made.desk, *made.pages)]
    made.deleteLater()
    qapp.processEvents()
    assert not [thread for thread in threading.enumerate() if thread.name == "FleetDesk pipe"]
    assert not multiprocessing.active_children()
    assert QThreadPool.globalInstance().activeThreadCount() == 0


@pytest.fixture
def opened(window: MainWindow, qtbot: QtBot, city: Path) -> MainWindow:
    """The window on the small city, with the first page read."""
    window.open(str(city))
    settle(window, qtbot)
    return window


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Wait until nothing is read or done any more."""
    desk = window.desk
    qtbot.waitUntil(lambda: not desk.reading and not desk.busy, timeout=LONG_MS)
