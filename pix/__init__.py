"""Patient Identifier Cross-reference Manager and Patient Demographics Supplier (ITI TF-1: 5, 8, 23, 24)."""
