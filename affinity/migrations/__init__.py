"""Schema migrations (alembic); ``upgrade`` brings a database to this version's tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def config(engine: Engine) -> Config:
    """Alembic's configuration without an ini file, bound to an open engine."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine) -> None:
    """Create or migrate every table; does nothing to a database that is up to date."""
    command.upgrade(config(engine), "head")
