"""From a basket to a placed order, and from there to the packing shed."""
