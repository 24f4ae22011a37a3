"""The desktop app: one window for the planner's day; Qt is imported nowhere else.

Pages show and ask; all work is done in processes of their own (`work`), which never load Qt.
"""
