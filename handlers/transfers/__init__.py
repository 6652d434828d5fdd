"""Transfers (继承): customers handed from one member to another, and how members fare with theirs (C5).

on the job (在职继承): he is still there; she goes over after 24 hours unless she refuses, at most twice in 90 days ·
after leaving (离职继承): he has left the corp and his customers wait for a successor · handover, takeover: the member
who gives, the one who takes.
"""
