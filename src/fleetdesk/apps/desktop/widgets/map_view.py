"""A map in the window, served by a scheme of our own; the network is refused.

Two things may lie under it: tiles of the city's own map file, by the same scheme, and pictures of
the one tile server that the planner's sheet names.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QTimer, QUrl
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from fleetdesk import __version__
from fleetdesk.apps.desktop.form import named
from fleetdesk.apps.desktop.work.shapes import Under
from fleetdesk.errors import FleetDeskError

if TYPE_CHECKING:
    from fleetdesk.outputs.city_map import CityMap

SCHEME = b"fleetdesk"
_TILES = "fleetdesk://map/tiles/{z}/{x}/{y}"
_SOON_MS = 120
_NO_MAP = "No map yet. It is drawn by the first run."
try:
    from PySide6.QtWebEngineCore import (
        QWebEnginePage,
        QWebEngineProfile,
        QWebEngineSettings,
        QWebEngineUrlRequestInfo,
        QWebEngineUrlRequestInterceptor,
        QWebEngineUrlRequestJob,
        QWebEngineUrlScheme,
        QWebEngineUrlSchemeHandler,
    )

    MAPS = True
except ImportError:  # a system without the libraries that a web view needs
    MAPS = False


def register_scheme() -> None:
    """Make the scheme known; needed once, before the application is made."""
    if not MAPS or QWebEngineUrlScheme.schemeByName(QByteArray(SCHEME)).name() == SCHEME:
        return
    scheme = QWebEngineUrlScheme(QByteArray(SCHEME))
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    flag = QWebEngineUrlScheme.Flag
    scheme.setFlags(
        flag.SecureScheme | flag.LocalScheme | flag.LocalAccessAllowed | flag.FetchApiAllowed
    )
    QWebEngineUrlScheme.registerScheme(scheme)


class MapView(QWidget):
    """Shows one self-contained page from a file; says so where there is none.

    The web engine is started with the first page, so that the window itself is there at once.
    `refused` lists what a page asked the network for, in vain.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._said = QLabel(_NO_MAP)
        self._said.setProperty("role", "quiet")
        self._said.setWordWrap(True)
        self._box.addWidget(self._said)
        self._name = name
        self._view: Any = None
        self._profile: Any = None
        self._web: Any = None
        self._guard: Any = None
        self._pages: Any = None
        self._path, self._under = "", Under()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._load)
        self.setMinimumSize(280, 220)

    @property
    def refused(self) -> list[str]:
        """Addresses outside that a page asked for."""
        return list(self._guard.refused) if self._guard is not None else []

    def show_file(self, path: str, under: Under | None = None) -> None:
        """Show the page of this file; "" for none. Without `under` that of the last stays."""
        self._path = path
        self._under = self._under if under is None else under
        if path and self.isVisible():
            self._soon.start()
        elif not path and self._view is not None:
            self._view.setVisible(False)
            self._said.setText(_NO_MAP)
            self._said.setVisible(True)

    def showEvent(self, event: Any) -> None:
        """Load the page when it is first seen."""
        super().showEvent(event)
        if self._path:
            self._soon.start()

    def retire(self) -> None:
        """End the web engine's page before its profile, as the engine asks for."""
        self._soon.stop()
        self._path = ""
        if self._view is not None:
            import shiboken6

            for part in (self._view, self._web):
                shiboken6.delete(part)
            self._web = self._view = None

    def _load(self) -> None:
        if not (self._path and self.isVisible()):
            return
        if not MAPS:
            self._said.setText(
                f"Maps cannot be shown in this window here. The map is in the file {self._path}."
            )
            return
        if self._view is None:
            self._make()
        page = Path(self._path).read_text(encoding="utf-8") if Path(self._path).is_file() else ""
        city, trouble = _city(self._under)
        if city is not None:
            from fleetdesk.outputs.city_map import over_city

            page = over_city(page, city, _TILES)
        self._guard.allowed = self._under.tiles
        # Pages of a local scheme reach no net at all without this.
        remote = QWebEngineSettings.WebAttribute.LocalContentCanAccessRemoteUrls
        self._web.settings().setAttribute(remote, bool(self._under.tiles))
        if self._pages.put(page.encode(), city):
            self._view.setUrl(QUrl("fleetdesk://map/page.html"))
        self._said.setText(trouble)
        self._said.setVisible(bool(trouble))
        self._view.setVisible(True)

    def _make(self) -> None:
        from PySide6.QtWebEngineWidgets import QWebEngineView

        self._profile = QWebEngineProfile(self)
        # Tile servers want to know what asks them.
        self._profile.setHttpUserAgent(f"FleetDesk/{__version__}")
        self._guard = _NoNetwork(self)
        self._pages = _Pages(self)
        self._profile.setUrlRequestInterceptor(self._guard)
        self._profile.installUrlSchemeHandler(QByteArray(SCHEME), self._pages)
        self._web = QWebEnginePage(self._profile, self)
        self._view = named(QWebEngineView(self), self._name)
        self._view.setPage(self._web)
        self._box.addWidget(self._view, 1)


def _city(under: Under) -> tuple[CityMap | None, str]:
    """The city's map, unless pictures are asked for or it cannot be read, and why not."""
    if under.tiles or not under.city_map:
        return None, ""
    from fleetdesk.outputs.city_map import CityMap

    try:
        return CityMap(Path(under.city_map)), ""
    except FleetDeskError as error:
        return None, str(error)


if MAPS:

    class _NoNetwork(QWebEngineUrlRequestInterceptor):
        """Refuses all that is not in the page itself, but pictures of the server allowed."""

        def __init__(self, parent: QWidget) -> None:
            super().__init__(parent)
            self.refused: list[str] = []
            self.allowed = ""

        def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
            """Let our own scheme, inlined data and the allowed pictures pass."""
            url = info.requestUrl()
            picture = info.resourceType() == QWebEngineUrlRequestInfo.ResourceType.ResourceTypeImage
            server = f"{url.scheme()}://{url.authority()}"
            asked_for = picture and self.allowed and fnmatch(server, self.allowed)
            if url.scheme() not in (SCHEME.decode(), "data", "blob") and not asked_for:
                self.refused.append(url.toString())
                info.block(True)

    class _Pages(QWebEngineUrlSchemeHandler):
        """Answers the addresses of our scheme: the present page, and the tiles under it."""

        def __init__(self, parent: QWidget) -> None:
            super().__init__(parent)
            self._content = b""
            self._city: CityMap | None = None

        def put(self, content: bytes, city: CityMap | None) -> bool:
            """Take a page and the city's map under it; False when that page is there."""
            self._city = city
            if content == self._content:
                return False
            self._content = content
            return True

        def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
            """Hand the page or a tile out, or say that there is no such thing."""
            _, what, *at = job.requestUrl().path().split("/")
            if what == "page.html":
                self._reply(job, b"text/html", self._content)
            elif what == "tiles" and self._city is not None and len(at) == 3 and _numbers(at):
                zoom, x, y = map(int, at)
                self._reply(job, b"application/x-protobuf", self._city.tile(zoom, x, y))
            else:
                job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)

        def _reply(self, job: QWebEngineUrlRequestJob, kind: bytes, content: bytes) -> None:
            buffer = QBuffer(job)
            buffer.setData(QByteArray(content))
            buffer.open(QIODevice.OpenModeFlag.ReadOnly)
            job.reply(QByteArray(kind), buffer)

    def _numbers(texts: list[str]) -> bool:
        return all(text.isascii() and text.isdigit() for text in texts)
