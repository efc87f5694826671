from dedup.models.batches import Batch, BatchRun, FolderSet, Look
from dedup.models.comparisons import Comparison, ComparisonQuerySet, Kind
from dedup.models.decisions import Decision, Says, Verdict, VerdictQuerySet, pair_of
from dedup.models.fingerprints import (
    Fingerprint,
    FingerprintQuerySet,
    LocalFeatures,
    Search,
    SearchPass,
)
from dedup.models.sets import (
    Choice,
    DuplicateSet,
    DuplicateSetQuerySet,
    Member,
    Order,
    Turn,
)

__all__ = [
    "Batch",
    "BatchRun",
    "Choice",
    "Comparison",
    "ComparisonQuerySet",
    "Decision",
    "DuplicateSet",
    "DuplicateSetQuerySet",
    "Fingerprint",
    "FingerprintQuerySet",
    "FolderSet",
    "Kind",
    "LocalFeatures",
    "Look",
    "Member",
    "Order",
    "Says",
    "Search",
    "SearchPass",
    "Turn",
    "Verdict",
    "VerdictQuerySet",
    "pair_of",
]
