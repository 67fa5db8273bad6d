"""Where produce comes from: harvest lots and their promise certificates."""
