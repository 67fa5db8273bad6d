"""The town's side: campaigns and the figures of the wall board."""
