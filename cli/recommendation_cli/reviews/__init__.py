"""Reviews: what people say about recommendations and incidents afterwards, beside them and without changing them."""
