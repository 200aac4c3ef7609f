"""The demonstration: invented people, two documents, and the traffic that `affinity up` plays through its own ports."""
