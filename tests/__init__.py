"""The tests mirror backend/ and storefront_theme/; journeys/, chaos/ and bench/ look at the whole shop."""
