"""A Datadog API on loopback, held to the official OpenAPI documents and to recorded exchanges with the real one."""
