"""What a person sees: terminals, tables, progress, safe text."""
