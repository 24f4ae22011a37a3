"""The planner's workbook behind one small port; no spreadsheet library's type crosses it."""
