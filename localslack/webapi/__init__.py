"""Slack's Web API: one module a family of methods, one registry that checks arguments, tokens and scopes."""
