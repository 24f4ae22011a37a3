"""What a worker takes along: stops, directions, tracks; nothing that is for planners only."""
