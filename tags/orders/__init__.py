"""Orders and their refunds, and the sums kept of them (C7, T5, T6, P2).

order: what the shop says was paid, under the shop's own `order_id` · refund: a part of it given back, under the shop's
`refund_id` · net: paid minus refunded, in fen · fully refunded: nothing is left, so it counts neither in frequency nor
as a first purchase · month: the brand's calendar month of `paid_at`, fixed when the order came in.
"""
