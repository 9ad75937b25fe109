"""Accounts: API keys, their rate limits and their credits, in SQLite or PostgreSQL.

`keys` and `lookup` tell who calls, `holds` holds a credit for each render, `store` and `credits`
are the database behind them, and `cli` is `python -m gateway keys`. docs/accounts.md states what is
guaranteed.
"""
