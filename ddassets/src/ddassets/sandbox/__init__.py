"""A Datadog organisation on this machine: intake, store, objects, live evaluation.

`store` keeps everything in one SQLite file, `intake` reads what an Agent sends, `server` answers on loopback. Whatever
needs the present asks `clock`, which a test can drive.
"""
