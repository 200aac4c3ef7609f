"""The actors that call the system under test; everything they send and get is kept."""
