"""The languages that people write: metric queries, messages and scopes, as trees that know their place."""
