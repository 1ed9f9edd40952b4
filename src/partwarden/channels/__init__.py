"""How a notification leaves from outside the database: channels to people, and the agent that carries it there."""
