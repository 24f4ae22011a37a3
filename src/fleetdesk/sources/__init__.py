"""Readers that turn feeds and files into the canonical tables, one file each."""
