"""The keeper: a second Lambda, on the table's stream, that keeps what is replaced in the table or removed from it.

handler ──► read_changes ──► judge ──► send_dead_letters: what was replaced, edited or deleted
                               │
                               └─────► ArchiveBucket: what TTL removed, if there is a bucket
"""
