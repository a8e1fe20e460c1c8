"""The schema's history. A new revision: a file in versions/, and its name at the end here."""

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
HEAD = REVISIONS[-1]
