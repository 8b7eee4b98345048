"""The executor's half: hand over a recommendation and carry on."""

try:
    from recommendation_producer._balance import Balance, Outcome
    from recommendation_producer._producer import RecommendationProducer
except Exception as error:  # noqa: BLE001 - whatever the host's packages break, importing this one must not end the host
    from recommendation_producer import _stand_in

    _stand_in.replace(globals(), error)

__all__ = ["Balance", "Outcome", "RecommendationProducer"]
