"""Clip stores -> other people's formats."""
