"""Chat: what a customer asks in 微信客服, or a member in the app, and the answer with numbers (W2, W3).

question: something that can be asked, with the words it is asked by; the feature that owns the fact answers it ·
hand-over: 人工, the bot is silent in that conversation · hand-back: the session ended or time passed, the bot answers
again · conversation: one customer in one 微信客服 account.
"""
