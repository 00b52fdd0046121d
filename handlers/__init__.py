"""Floor 3: Slack in, Slack out."""
