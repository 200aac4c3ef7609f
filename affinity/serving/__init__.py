"""``affinity serve --workers N``: a parent binds and supervises, workers adopt its sockets and serve."""
