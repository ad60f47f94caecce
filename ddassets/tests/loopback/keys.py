"""The keys of the loopback organisation."""

API_KEY = 'a' * 32
APP_KEY = 'b' * 40
