"""The embedded stack: a private PostgreSQL, aws_lambda for a plain PostgreSQL, a local AWS, a mailbox."""
