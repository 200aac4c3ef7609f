"""What runs in one transaction of the database, and nothing else of it is seen."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
"""Does nothing but SQL, for it may run more than once until it commits."""
