"""Messaging, first part: what a message may hold, who may fill its placeholders, and how it reaches her (W7, C9, G6).

content: text and attachments as they were saved · placeholder: `{name}`, filled for the one who reads it · window: in
微信客服 we may write five times within 48 hours of her last message · delivery: a message for one customer, sent
through an open window or waiting for one, with its reason · enclosure: what another feature adds to a welcome.
"""
