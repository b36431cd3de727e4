"""Data sets in other people's formats -> clip stores."""
