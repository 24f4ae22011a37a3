"""The colours of maps and charts, the same everywhere and told apart by colour-blind readers."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fleetdesk.resources import folder

BLACK = "#000000"
WHITE = "#FFFFFF"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as `#RRGGBB`: `categories` for things, `steps` for amounts from low to high.

    `below` is for amounts under zero; `battery` runs from empty to full; `alert` marks what needs
    attention, `quiet` what is off.
    """

    categories: tuple[str, ...]
    steps: tuple[str, ...]
    battery: tuple[str, ...]
    below: str
    alert: str
    quiet: str
    ink: str
    ground: str
    paper: str

    def category(self, index: int) -> str:
        """The colour of the thing numbered `index` from 0; repeats after the last one."""
        return self.categories[index % len(self.categories)]

    def repeats(self, index: int) -> int:
        """How often the colours were used up before `index`; tell those apart by another mark."""
        return index // len(self.categories)


def palette() -> Palette:
    """The palette shipped with FleetDesk (Okabe and Ito, 2008), read from `ui/palette.json`."""
    raw = json.loads((folder("ui") / "palette.json").read_text(encoding="utf-8"))
    return Palette(
        categories=tuple(item["hex"] for item in raw["categories"]),
        steps=tuple(raw["steps"]),
        battery=tuple(raw["battery"]),
        below=raw["below"],
        alert=raw["alert"],
        quiet=raw["quiet"],
        ink=raw["ink"],
        ground=raw["ground"],
        paper=raw["paper"],
    )


def text_on(background: str) -> str:
    """Black or white, whichever has the higher WCAG 2 contrast on `background`."""
    return WHITE if contrast(WHITE, background) >= contrast(BLACK, background) else BLACK


def contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio of two `#RRGGBB` colours, 1 to 21."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
