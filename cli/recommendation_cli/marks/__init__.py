"""Incident marks (docs/decisions/0023) as commands read and write them, and waiting until every consumer knows one."""
