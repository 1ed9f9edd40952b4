"""Who may look and who may act: logins, sessions, forms, headers."""
