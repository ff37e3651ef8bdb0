"""Certificates of SM2: read, judged, and issued by a test authority; the enveloped key that comes with one of them."""
