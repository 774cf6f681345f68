"""Texts that go with images whose own they are not: banks of texts, and which goes to which."""
