"""The export: what reviewers accepted, corrected and added, in the formats of other programs, each read again before it counts as written."""
