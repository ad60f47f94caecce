"""Check, lint, rehearse and apply the assets of a Datadog Agent integration."""
