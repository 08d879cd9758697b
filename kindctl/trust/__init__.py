"""`https://localhost`: a certificate authority of this machine's own, what it signs, and who trusts it.

`authority` keeps it in kindctl's data folder; `serving` is the certificate in the cluster; `stores` are
the places where programs look for authorities that they trust.
"""
