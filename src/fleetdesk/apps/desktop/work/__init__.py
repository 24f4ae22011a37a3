"""The work behind the window, in processes of their own; nothing here loads Qt.

`messages` and `shapes` are what both sides know; `child` and the jobs run in the process only.
"""
