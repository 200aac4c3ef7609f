"""A day of a national health record, in small: its mix of requests, arriving when people ask and not when we can."""
