"""What an authority keeps, durably."""
