"""What people read: the chain behind a result, 一地一策 documents, lists and boards."""
