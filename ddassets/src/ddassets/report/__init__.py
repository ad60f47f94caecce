"""The page: what Datadog's pages would show for a rehearsed signal, and what would have landed in the inbox."""
