"""FleetDesk: the planner's tool for shared e-scooter fleets.

sources    bring a fleet's records in and normalise them once, at the door;
store      keeps them as immutable Parquet generations beside a small SQLite ledger of runs;
features   turn them into operating cycles, rates and the present state of the fleet;
fleet      values every possible task (ROI), and tasks and routes decide what is worth doing;
outputs    draw the tables, charts and maps, and sheets write them back into the planner's workbook.
Imports point inward only: apps -> workflows -> ... -> model -> errors; import-linter holds it.
"""

__version__ = "0.1.0"
