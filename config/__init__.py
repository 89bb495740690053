"""What every room shares: the error tree and typed YAML files."""
