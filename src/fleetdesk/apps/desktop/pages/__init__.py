"""The pages of the window, one a step of the planner's day."""
