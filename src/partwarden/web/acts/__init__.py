"""What may be done from a page: in one statement, or in the background; confirmed, and on record."""
