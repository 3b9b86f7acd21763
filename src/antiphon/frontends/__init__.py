"""Programs of every SDK to and from the circuits that engines run; each SDK is imported only when it is used."""
