"""Indexes of ours on tables of Saleor."""
