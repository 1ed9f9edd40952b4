"""The main job, shown: the article's tables, a broken set, the mail, the repair, the second mail."""
