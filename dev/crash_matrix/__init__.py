"""A worker killed or frozen wherever it touches network, ledger or XCom enrolls everybody exactly once."""
