"""Which tasks pay, by whom and in what order; begin at `problem.build` and `solve.plan`."""
