"""Plays the person: starts the three programs, acts over HTTP as the page does, and prints what it sees."""
