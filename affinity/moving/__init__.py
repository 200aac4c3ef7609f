"""Moving a node from SQLite to PostgreSQL and from files to a bucket, while it serves but for some seconds."""
