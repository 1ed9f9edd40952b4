"""The newest survey of every database, however many people look, and what pages want beyond it."""
