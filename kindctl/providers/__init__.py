"""Where clusters come from. One file per provider; this is the list of them."""

PROVIDERS = {"kind": "a local cluster in containers, by kind"}
