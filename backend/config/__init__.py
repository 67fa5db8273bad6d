"""How the shop is put together: imports every room, is imported by none."""
