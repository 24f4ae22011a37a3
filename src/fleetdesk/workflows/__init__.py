"""What pushes the data along: import, plan, publish; the only layer that sees all others."""
