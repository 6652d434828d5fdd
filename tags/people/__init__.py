"""People: customers, how they are recognised, who follows them, where they came from (C1, C2, C4, C5).

customer: one person · identity: a value she is recognised by (unionid, external_userid, phone, email,
shop_customer_id) · contact: her follow relation with one member (外部联系人, 跟进成员) · touch: a way she came to us ·
stranger: a customer without contact · merge: two customers found to be one person, recorded and undoable.
"""
