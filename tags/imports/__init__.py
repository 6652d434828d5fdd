"""Imports: customers, orders and points from files a shop has, as if the shop's backend had told them (C1, C2, G5, T4).

A file is CSV or XLSX; its *columns* are mapped to *fields* of a *kind*. Rows go in chunk by chunk, each chunk a
transaction that also moves the import's *place*, so that it may be killed anywhere and goes on. A row that can't be
taken is *rejected* with its reason, the others are kept; the same file again changes nothing. What comes in is history:
sums, points, stages and scores follow, no message does (docs/decisions/0008-imports-are-history.md).
"""
