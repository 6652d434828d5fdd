"""Tagging: tag groups, tags, who has which, and the two-way sync of corp tags with WeCom (T1, T2).

corp tag (企业标签): known to WeCom too · profile tag: known here only · computed tag: written by the engine alone ·
tag group (标签组) · single choice: of a group she has one tag at most · assignment: she has the tag, from where, since
when, until when · relation tag: what WeCom was last seen to have, or confirmed, on a relation · push: a `mark_tag` row.
"""
