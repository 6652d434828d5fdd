"""Segments: saved condition trees, who they mean now, and who comes and goes (T4).

segment (客群): a name and a tree · member: who it means · to enter, to leave: what happens when that changes, an event.
A member is counted by bitmaps kept in each process; SQL, compiled from the same tree, is the truth they are held to.
"""
