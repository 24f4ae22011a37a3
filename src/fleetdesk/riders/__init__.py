"""What is known of riders: who they are, who leaves, what they are worth; pure functions.

Each module takes a table of riders (pandas, one row per rider, columns of features.riders or any
other by name) and gives frozen results; nothing here reads a store.
"""
