"""The flags: a metric, a rule and the evidence; each says look here, never guilty."""
