"""Programs around the project: the local cluster behind `kura cluster`, the demo, and the builder's tools."""
