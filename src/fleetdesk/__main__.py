"""`python -m fleetdesk` is the command `fleetdesk`."""

from fleetdesk.apps.cli import main

if __name__ == "__main__":
    main()
