"""The process that migrates: ``AFFINITY_MIGRATE_URL`` names the database."""

import os

from alembic import command
from sqlalchemy import create_engine

from affinity.migrations import URL, config

if __name__ == "__main__":
    command.upgrade(config(create_engine(os.environ[URL])), "head")
