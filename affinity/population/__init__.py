"""A synthetic population of Luxembourg: invented people, and the records that careless sources keep of them."""

from affinity.population.records import PopulationRecord, records
from affinity.population.tags import Tag

__all__ = ["PopulationRecord", "Tag", "records"]
