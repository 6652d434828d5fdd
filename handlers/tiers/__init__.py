"""Membership tiers, first part: the tier her net spend of the last 12 months reaches, and what is missing (P3).

tier: 会员等级 · standing: her tier, her net spend of the rolling 12 months, and the next tier.
"""
