"""Points: what orders earn, what she has, what she spends, what ends (P1, P2).

account: one customer's points; after a merge the survivor owns the accounts of both (`owner_id`), each with its own
bookings · transaction: one line of the ledger, whose entries sum to 0 · lot: points that end together (积分批次) ·
pending: earned, not yet available · hold: points kept for an order until it is committed, released or timed out · debt:
what a claw-back found gone · month account: her net spend of a calendar month and the base points granted for it.

The way of a booking: `ledger.opened` locks the accounts and brings them up to now (`due`), a verb (`earn`, `spend`,
`hold`, `adjust`, `merges`) plans with `rules` and writes lines, closing stores everything in one statement.
"""
