"""Binding: she ties the orders to herself that came before anybody knew whose they are (C7).

binding: 绑定, by a phone number that a code was sent to, or by an order of which she knows number and price · bind
link: the address of the page, signed for her. What is tied is a merge and can be undone (C2).
"""
