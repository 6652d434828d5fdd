"""Custom fields: what a brand itself wants to know of its customers (C6).

field: 自定义字段, a key for machines, a name for people, a type (text, number, date, choice) · value: what one customer
has in it. A field that conditions use can't be deleted; a deleted one keeps its values until it is purged.
"""
