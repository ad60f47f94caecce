"""A Datadog API on loopback, checked against the official OpenAPI documents and recorded exchanges with the real
API.
"""
