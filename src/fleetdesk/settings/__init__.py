"""What planners may set: one frozen class per sheet of their workbook."""
