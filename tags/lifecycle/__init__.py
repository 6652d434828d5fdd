"""Where she stands with the brand, by rule (T6).

stage: stranger, contact, first_buyer (首购), repeat (复购), loyal (忠诚), at_risk (流失风险), lapsed (已流失), won_back
(已召回) · silence: time since her last order that counts. Only buyers have a row, and a computed tag once a member has
or had her; who never bought is a contact then. Whom nobody had is a stranger.
"""
