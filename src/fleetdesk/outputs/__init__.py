"""What leaves FleetDesk: the tables of the workbook, the route map, files to share."""
