"""Which calls are about the same matter: pairs with a score and reasons, groups, hot issues."""
