"""Mail to workers: each gets the own route, and nothing that is for planners only."""
