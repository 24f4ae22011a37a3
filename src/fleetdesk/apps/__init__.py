"""Doors: each shows what the workflows do, and does nothing itself."""
