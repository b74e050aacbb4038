"""NHS Talking Therapies: published yearly referral counts by provider, as returns."""
