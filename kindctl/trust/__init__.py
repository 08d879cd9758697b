"""`https://localhost`: the local certificate authority, the certificates it signs, and who trusts it.

`authority` keeps it in kindctl's data folder; `serving` is the certificate in the cluster; `stores` finds
the places where programs look for the authorities that they trust.
"""
