"""The ways in which a cooperative's documents arrive by themselves: one module each, one interface for all."""
