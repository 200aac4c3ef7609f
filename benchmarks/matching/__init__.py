"""How well matching decides: FEBRL and a synthetic population, beside other record linkage on the same pairs."""
