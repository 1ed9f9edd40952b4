"""The fixtures that partwarden gives to the test suites of others."""
