"""What a worker takes along: stop list, directions, tracks, and nothing that is only for planners."""
