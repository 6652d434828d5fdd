"""Who the customer is: identities, orders, tags, timeline."""
