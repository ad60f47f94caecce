"""The Datadog API: plan, apply, destroy, snapshot. The only part that opens a socket."""
