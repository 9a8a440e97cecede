"""The model's tools, one module each; `registry` lists them."""
