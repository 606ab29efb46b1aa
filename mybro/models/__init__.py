"""Model weights: what there is, where it comes from, and whether it is whole."""

from mybro.models.catalogue import Backend, Model, lookup, models
from mybro.models.store import Weights, find, named, resolve

__all__ = ["Backend", "Model", "Weights", "find", "lookup", "models", "named", "resolve"]
