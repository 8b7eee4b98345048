"""The executor's side: hand over a recommendation and carry on."""

from producer.balance import Balance, Outcome
from producer.producer import RecommendationProducer

__all__ = ["Balance", "Outcome", "RecommendationProducer"]
