"""Readers: files as they come, each family of formats in a module of its own. Start reading at `item.items_of`."""
