"""Where the body is: detectors behind one interface, gates for what they say, repair of exchanged sides."""
