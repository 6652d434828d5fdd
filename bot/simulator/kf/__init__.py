"""微信客服: accounts and their servicers, sessions and their states, the message log, and answers.

`accounts` knows links and servicers, `log` appends what happens and calls back, `sessions` moves her conversation,
`messages` is what the API pulls and sends.
"""
