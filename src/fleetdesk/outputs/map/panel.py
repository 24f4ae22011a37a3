"""The panel beside the map: title, routes with their totals, and what the signs mean."""

from __future__ import annotations

import html

from fleetdesk.outputs.map.data import demand_steps, demand_width, idle_steps, roi_edges
from fleetdesk.outputs.map.view import MapRoute, MapView
from fleetdesk.outputs.palette import Palette, text_on
from fleetdesk.outputs.wording import money

_LOADS = '<span class="loads"><i></i><i></i><i></i></span>'


def panel(view: MapView, colours: Palette) -> str:
    """The panel as HTML; every text from the data is escaped."""
    return f"""
<aside id="panel">
  <header><h1>{text(view.title)}</h1><p>{text(view.subtitle)}</p></header>
  <details id="legend" open>
    <summary>{text(view.say("Routes and signs"))}</summary>
    {_routes(view)}
    {_signs(view, colours)}
    {_cell_scale(view, colours)}
    {_demand_scale(view, colours)}
    {_battery_scale(view, colours)}
    {_idle_scale(view, colours)}
    {"".join(f'<p class="note">{text(note)}</p>' for note in view.notes)}
  </details>
</aside>"""


def head(policy: str, colours: Palette) -> str:
    """Meta tags and the palette as CSS variables."""
    names = ("alert", "quiet", "ink", "ground", "paper")
    variables = "".join(f"--{name}:{getattr(colours, name)};" for name in names)
    return (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="robots" content="noindex"><style>:root{{{variables}}}</style>'
    )


def text(value: str) -> str:
    """Escaped for HTML, and for the template engine that Folium runs over layer names."""
    return html.escape(value).replace("{", "&#123;").replace("}", "&#125;")


def swatch(route: MapRoute) -> str:
    """A patch of the worker's colour."""
    kind = "swatch dashed" if route.dashed else "swatch"
    return f'<i class="{kind}" style="--c:{text(route.colour)}"></i>'


def _routes(view: MapView) -> str:
    if not view.routes:
        return "<p>No routes: no task is planned.</p>"
    rows = "".join(
        f'<li><button type="button" data-route="{index}">{swatch(route)}'
        f"<b>{text(route.worker)}</b>"
        f"<span>{_stops(route, view)} · {route.distance_m / 1000:.1f} km · "
        f"{route.duration_s / 3600:.1f} h<br>{text(route.leaves)}\u2013{text(route.returns)}"
        f"{_profit(route, view)}</span></button></li>"
        for index, route in enumerate(view.routes)
    )
    return f'<h2>{text(view.say("Routes"))}</h2><ol class="routes">{rows}</ol>'


def _profit(route: MapRoute, view: MapView) -> str:
    return "" if route.profit is None else f" · profit {text(money(route.profit, view.currency))}"


def _signs(view: MapView, colours: Palette) -> str:
    sample = f"--c:{colours.ink};--t:{text_on(colours.ink)}"
    start = text(view.say("Start"))
    signs = []
    if view.routes:
        signs += [
            (f'<span class="pin" style="{sample}">1</span>', "Swap the battery"),
            (f'<span class="pin up" style="{sample}">2</span>', "Swap the battery and pick up"),
            (f'<span class="pin move up" style="{sample}">3</span>', "Pick up"),
            (f'<span class="pin move down" style="{sample}">4</span>', "Drop off"),
            (f'<i class="dot" style="{sample}"></i>', "A stop; zoom in for its number"),
            (f'<span class="depot">{start}</span>', "Where a van starts and ends"),
        ]
    stops = [stop for route in view.routes for stop in route.stops]
    if any(not stop.does for stop in stops):
        signs.append((f'<span class="pin move" style="{sample}">5</span>', "Other work there"))
    if any(stop.must for stop in stops):
        signs.append((f'<span class="pin must" style="{sample}">6</span>', "Must be done"))
    if any(stop.locked for stop in stops):
        signs.append((f'<span class="pin locked" style="{sample}">7</span>', "Locked by you"))
    if any(route.pauses for route in view.routes):
        signs.append(('<span class="pause">12:00</span>', "Break, or batteries loaded"))
    if any(stop.load_vehicles for stop in stops):
        signs.append((_LOADS, "Thicker line: more vehicles on board"))
    if any(parking.count is None for parking in view.parkings):
        signs.append(('<span class="parking">P</span>', "Parking"))
    elif view.parkings:
        signs += [
            ('<span class="parking">P 5/4</span>', "Parking: vehicles there / wanted"),
            ('<span class="parking low">P 1/4 !</span>', "Parking below its minimum"),
        ]
    if view.no_parking:
        signs.append(('<i class="zone"></i>', "Zone where no vehicle may stand"))
    if view.dropped:
        signs.append(('<span class="dropped">×</span>', f"Not planned ({len(view.dropped)})"))
    rows = "".join(f"<dt>{sign}</dt><dd>{text(view.say(what))}</dd>" for sign, what in signs)
    return f'<h2>{text(view.say("Signs"))}</h2><dl class="signs">{rows}</dl>' if rows else ""


def _cell_scale(view: MapView, colours: Palette) -> str:
    if not view.cells:
        return ""
    edges = roi_edges(view.cells)
    steps = [(colours.steps[i], f"{edge:g}+") for i, edge in enumerate(edges)]
    if any(cell.roi < 0 for cell in view.cells):
        steps.insert(0, (colours.below, "< 0"))
    heading = f"{view.roi_name}, tasks in a cell ({view.currency})"
    return f"<h2>{text(heading)}</h2>{_scale(steps, faint=True)}"


def _demand_scale(view: MapView, colours: Palette) -> str:
    if not view.demand:
        return ""
    far = demand_width(view.demand)
    labels = (f"< -{far:g}", "", "enough", "", f"{far:g}+")
    steps = list(zip(demand_steps(colours), labels, strict=True))
    heading = "Trips a day that lack a vehicle, layer Demand less supply"
    return f"<h2>{heading}</h2>{_scale(steps, faint=True)}"


def _battery_scale(view: MapView, colours: Palette) -> str:
    if not view.vehicles:
        return ""
    low, middle, high = (f"{band:g}" for band in view.battery_bands)
    labels = (f"below {low}", f"{low}+", f"{middle}+", f"{high}+")
    steps = list(zip(colours.battery, labels, strict=True))
    if any(vehicle.battery_pct is None for vehicle in view.vehicles):
        steps.append((colours.quiet, "unknown"))
    return f"<h2>Battery (%), layer All vehicles by battery</h2>{_scale(steps)}"


def _idle_scale(view: MapView, colours: Palette) -> str:
    if not view.vehicles:
        return ""
    low, middle, high = (f"{band:g}" for band in view.idle_bands)
    labels = (f"below {low}", f"{low}+", f"{middle}+", f"{high}+")
    steps = list(zip(idle_steps(colours), labels, strict=True))
    if any(vehicle.idle_h is None for vehicle in view.vehicles):
        steps.append((colours.quiet, "unknown"))
    return f"<h2>Idle time (h), layer All vehicles by idle time</h2>{_scale(steps)}"


def _scale(steps: list[tuple[str, str]], *, faint: bool = False) -> str:
    cells = "".join(
        f'<li><i style="background:{colour}"></i>{text(label)}</li>' for colour, label in steps
    )
    return f'<ul class="scale{" faint" if faint else ""}">{cells}</ul>'


def _stops(route: MapRoute, view: MapView) -> str:
    count = len(route.stops)
    return f"{count} {text(view.say('stop' if count == 1 else 'stops'))}"
