"""What a parent does when workers die, cannot start, or are to be replaced; without a worker."""
