"""Events that people register for: the interface that the runner uses, and one package or module per kind."""
