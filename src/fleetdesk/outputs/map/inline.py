"""Put every script, style and picture of a page into the page itself."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

from fleetdesk.outputs.shipped import not_shipped, script, shipped

_SCRIPT = re.compile(r'<script src="([^"]*)"></script>')
_STYLE = re.compile(r'<link rel="stylesheet" href="([^"]*)"/>')
_URL = re.compile(r"url\((?!#|data:)['\"]?([^)'\"]+)['\"]?\)")
_LOADING = {"src", "srcset", "href", "data", "poster", "background", "action", "xlink:href"}


def inline(page: str, root: Path) -> str:
    """The page with what it names under `root` inside it; refuses anything from elsewhere."""
    page = _SCRIPT.sub(lambda found: f"<script>{script(found[1], root)}</script>", page)
    page = _STYLE.sub(lambda found: f"<style>{_style(found[1], root)}</style>", page)
    outside = references(page)
    if outside:
        raise not_shipped(outside[0])
    return page


def references(page: str) -> tuple[str, ...]:
    """Every address that a tag or style of the page would fetch; `data:` and `#` are inside it."""
    reader = _References()
    reader.feed(page)
    reader.close()
    return tuple(reader.found)


class _References(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            if name in _LOADING and value and not value.startswith(("data:", "#")):
                self.found.append(value)
            if name == "style" and value:
                self.found += _URL.findall(value)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += _URL.findall(data)


def _style(name: str, root: Path) -> str:
    sheet = shipped(name, root)
    return _URL.sub(
        lambda found: f"url({_picture(found[1], sheet.parent)})", sheet.read_text(encoding="utf-8")
    )


def _picture(name: str, root: Path) -> str:
    if not name.endswith(".png"):
        raise not_shipped(name)
    code = base64.b64encode(shipped(name, root).read_bytes()).decode("ascii")
    return f"data:image/png;base64,{code}"
