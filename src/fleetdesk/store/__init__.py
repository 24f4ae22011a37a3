"""Where a workspace's data and ledger are kept: whole generations, switched in one step."""
