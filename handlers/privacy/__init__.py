"""Privacy towards her, first part: one word ends the marketing, another lets it begin again (S1).

opt-out: 退订 in the chat, kept as a withdrawn consent whoever has the conversation.
"""
