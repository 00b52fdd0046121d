"""Plays the person: starts the three programs, acts over HTTP, prints what it sees."""
