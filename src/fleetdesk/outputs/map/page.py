"""Draw a MapView as one HTML page; Folium builds it, and nothing in it asks the network."""

from __future__ import annotations

import html
from collections.abc import Iterator

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template

from fleetdesk.outputs.map import panel
from fleetdesk.outputs.map.data import as_script_text, drawing_data
from fleetdesk.outputs.map.inline import inline
from fleetdesk.outputs.map.view import MapView
from fleetdesk.outputs.page_policy import POLICY, with_pictures
from fleetdesk.outputs.palette import palette
from fleetdesk.resources import folder


def route_map(view: MapView) -> str:
    """The page as text; the same view gives the same bytes. Raises when an asset is missing."""
    canvas = _LeafletMap(
        location=[view.center.lat, view.center.lon],
        tiles=None,
        zoom_start=13,
        zoom_control="topleft",
        font_size="14px",
        max_zoom=19,
        min_zoom=3,
        zoom_snap=0.5,
    )
    data = drawing_data(view, palette())
    groups = _groups(view, has_roads="roads" in data)
    for group in groups.values():
        group.add_to(canvas)
    control = folium.LayerControl(collapsed=False).add_to(canvas)
    _Drawing(groups, control).add_to(canvas)

    figure = canvas.get_root()
    figure.title = html.escape(view.title)
    # The net is asked only for tiles that the planner wants.
    tiles = view.ground.tiles
    policy = with_pictures(tiles.origin) if tiles else POLICY
    figure.header.add_child(_Verbatim(panel.head(policy, palette())), index=1)
    figure.html.add_child(_Verbatim(panel.panel(view, palette())))
    figure.html.add_child(_Verbatim(_data_block(data)))
    _number_elements(figure)
    page = figure.render().replace("<html>", f'<html lang="{view.language}">', 1)
    return inline(page, folder("ui"))


def _groups(view: MapView, *, has_roads: bool) -> dict[str, folium.FeatureGroup]:
    """One switchable layer per worker and per kind of thing that is there, lowest first."""
    groups: dict[str, folium.FeatureGroup] = {}
    if has_roads:
        groups["roads"] = folium.FeatureGroup(view.say("Roads"), show=not view.ground.tiles)
    if view.cells:
        groups["cells"] = folium.FeatureGroup("Where work pays, by cell")
    if view.demand:
        groups["demand"] = folium.FeatureGroup("Demand less supply, by cell", show=False)
    if view.no_parking:
        groups["zones"] = folium.FeatureGroup("No-parking zones")
    if view.vehicles:
        groups["vehicles"] = folium.FeatureGroup("All vehicles by battery", show=False)
        groups["idle"] = folium.FeatureGroup("All vehicles by idle time", show=False)
    if view.parkings:
        groups["parkings"] = folium.FeatureGroup(view.say("Parkings"))
    if view.dropped:
        groups["dropped"] = folium.FeatureGroup("Tasks not planned")
    for index, route in enumerate(view.routes):
        name = f"{panel.swatch(route)} {panel.text(route.worker)}"
        if name in {group.layer_name for group in groups.values()}:
            name += f" ({index + 1})"
        groups[f"route{index}"] = folium.FeatureGroup(name)
    return groups


class _LeafletMap(folium.Map):
    """Folium's map with Leaflet and our own drawing code as its only resources."""

    default_js = (
        ("leaflet", "vendor/leaflet/leaflet.js"),
        ("signs", "map/signs.js"),
        ("route_map", "map/route_map.js"),
    )
    default_css = (
        ("leaflet_css", "vendor/leaflet/leaflet.css"),
        ("route_map_css", "map/route_map.css"),
    )


class _Drawing(MacroElement):
    """Hands the layers to the drawing code, which reads what to draw from the data block."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            fleetdeskMap({{ this._parent.get_name() }}, {{ this.control.get_name() }}, {
                {%- for key, group in this.groups.items() %}
                {{ key|tojson }}: {{ group.get_name() }},
                {%- endfor %}
            });
        {% endmacro %}
    """)

    def __init__(
        self, groups: dict[str, folium.FeatureGroup], control: folium.LayerControl
    ) -> None:
        super().__init__()
        self._name = "Drawing"
        self.groups = groups
        self.control = control


class _Verbatim(Element):
    """Text that is put into the page as it is, never read as a template."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self.text = text


def _data_block(data: object) -> str:
    return f'<script type="application/json" id="fleetdesk-data">{as_script_text(data)}</script>'


def _number_elements(figure: Figure) -> None:
    """Number the elements in order: Folium draws random ids, and a page must not change by them."""
    for number, element in enumerate(_walk(figure)):
        element._id = str(number)


def _walk(element: Element) -> Iterator[Element]:
    yield element
    children = list(element._children.values())
    if isinstance(element, Figure):
        children += [element.header, element.html, element.script]
    for child in children:
        yield from _walk(child)
