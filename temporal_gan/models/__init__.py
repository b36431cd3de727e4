"""Networks. Each file holds its configuration directly above its module."""
