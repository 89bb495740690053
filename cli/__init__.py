"""The command line `xiaozheng`: one file per verb."""
