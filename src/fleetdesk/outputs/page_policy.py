"""What a page lets the browser do (Content Security Policy): show what is in it, fetch nothing."""

from __future__ import annotations

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def with_pictures(origin: str) -> str:
    """The policy of a page that may show one tile server's pictures, too."""
    return POLICY.replace("img-src data:", f"img-src data: {origin}")


def fetching(page: str, scheme: str) -> str:
    """A page of that policy that may fetch what a scheme serves (`fleetdesk:`), too."""
    return page.replace(POLICY, f"{POLICY}; connect-src {scheme}", 1)
