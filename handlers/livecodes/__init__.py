"""Live codes (渠道活码): a QR code per channel, with its staff, tags, welcome and group (F1, without schedules).

live code: one of WeCom's contact ways with a `state` of ours, by which an adding is told to have come through it ·
adding: a customer who became a member's friend through it · duty: the members it leads to now, which are its staff
without those who have reached their daily cap. A code reaches new friends only: a friend who scans raises no event.
"""
