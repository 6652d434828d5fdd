"""Recency, frequency, monetary: how she compares with all buyers, and the class that makes (T5).

score: 1 to 5 for each of the three · cell: the three scores, 125 of them · class: one of 8 names, by which of the three
are high · edges: the four values between the five scores, kept until the next night, so that an order moves only its
buyer · 未购: nobody's order counts, no scores.
"""
