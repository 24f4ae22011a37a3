"""The ROI picture: drawn, the same each time, in the palette's colours, told in words."""

from __future__ import annotations

from io import BytesIO

from matplotlib.image import imread

from fleetdesk.outputs.palette import palette
from fleetdesk.outputs.roi_picture import roi_picture
from fleetdesk.settings.schema import Settings

CELLS = {"sx0r4m": 12.0, "sx0r4q": 4.0, "sx0r4t": -3.0}


def test_each_class_is_in_the_picture_in_its_colour():
    image = roi_picture(CELLS, Settings())
    pixels = {
        "#" + "".join(f"{round(255 * part):02X}" for part in pixel[:3])
        for row in imread(BytesIO(image.png))
        for pixel in row
    }
    colours = palette()
    assert colours.below.upper() in pixels
    assert {step.upper() for step in colours.steps} & pixels
    assert image.png.startswith(b"\x89PNG")


def test_the_words_say_what_the_picture_shows():
    alt = roi_picture(CELLS, Settings()).alt
    assert "3 cells" in alt
    assert "Highest: sx0r4m with 12.00; 1 cells are below 0" in alt
    assert "(EUR)" in alt


def test_the_same_cells_make_the_same_bytes_in_any_order():
    turned = dict(reversed(CELLS.items()))
    assert roi_picture(CELLS, Settings()).png == roi_picture(turned, Settings()).png


def test_no_cells_no_picture_and_one_cell_is_enough():
    assert roi_picture({}, Settings()) is None
    assert roi_picture({"sx0r4m": -1.0}, Settings()) is not None
