"""The language of notification messages."""
