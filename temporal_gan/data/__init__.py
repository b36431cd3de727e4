"""Clip stores: writing, reading, and drawing training windows from them."""
