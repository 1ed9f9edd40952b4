"""What partwarden puts into AWS: the function that an alert leaves through, and the templates around it."""
