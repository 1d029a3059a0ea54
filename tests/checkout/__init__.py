"""The checkout itself: the import law, documents, licences, examples, and the programs beside these tests."""
