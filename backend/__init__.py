"""The shop's backend: one package a room, in the order that data flows (see the design)."""
