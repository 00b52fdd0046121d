"""Pure functions from records to Block Kit: no clock, no store, no network in here."""
