"""Parsers of metric queries, messages and scopes. Their syntax trees contain the position of each part."""
