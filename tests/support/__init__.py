"""What tests of several folders share, and what is no test itself."""
