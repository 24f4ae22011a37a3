"""Table expressions over the canonical tables: no connection, one grain per module."""
