"""Accounts: API keys, their rate limits and their credits, in SQLite or PostgreSQL.

`door` lets calls in by their key, `charges` takes the credit for a render, `store` is the database
behind both, and `cli` is `python -m gateway keys`. docs/accounts.md states what is guaranteed.
"""
