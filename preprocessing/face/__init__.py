"""Faces: found, and read by whatever there is to read them with."""
