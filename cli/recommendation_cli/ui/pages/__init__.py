"""The pages, each from the same query as the command it is named after."""
