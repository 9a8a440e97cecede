"""The model's eight tools, one module each; `registry` lists them."""
