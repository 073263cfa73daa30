"""HTTP itself: requests and answers, connections that break, the certificate and the server."""
