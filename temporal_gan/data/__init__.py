"""Clip stores: what is in them, how they are read, and how training samples are drawn from them."""
