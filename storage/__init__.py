"""Floor 1: records (frozen dataclasses) and the store on SQLite; imports nothing of the house."""
