"""A Slack-compatible workspace on this machine, for trying and testing; not for real conversations."""
