"""What ingress controllers share: hand-over, the proof in an answer, replicas, Gateway API."""
