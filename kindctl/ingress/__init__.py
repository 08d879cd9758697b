"""What ingress controllers share: entry point, hand-over, proof in an answer, replicas, Gateway API."""
