"""The executor's half: hand over a recommendation and carry on."""

from recommendation_producer._balance import Balance, Outcome
from recommendation_producer._producer import RecommendationProducer

__all__ = ["Balance", "Outcome", "RecommendationProducer"]
