"""The ear: where sound comes from, what in it is speech, and how mybro is heard."""
