"""Which work is worth doing: candidates by the sheet's rules, their priority, and what pays."""
