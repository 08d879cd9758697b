"""`https://localhost`: the local certificate authority, the certificates that it signs, and trust stores.

`authority` keeps the authority in kindctl's data folder, `serving` makes the certificate in the cluster,
and `stores` finds the places where programs look for the authorities that they trust.
"""
