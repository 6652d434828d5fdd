"""What we do for her: welcomes, answers, points, invitations."""
