"""Every try on the same test days: what was seen, and what that makes a later one show."""
