from gallery.models.changes import Change, Mark
from gallery.models.favourites import Favourite, FavouriteQuerySet
from gallery.models.photos import (
    NotDiscardable,
    Origin,
    Photo,
    PhotoQuerySet,
    Precision,
    Thumbnail,
)
from gallery.models.sources import (
    ImportRun,
    Outcome,
    Source,
    SourceFile,
    SourceFileQuerySet,
    path_key,
)
from gallery.models.steps import MAX_ATTEMPTS, Step, StepQuerySet

__all__ = [
    "MAX_ATTEMPTS",
    "Change",
    "Favourite",
    "FavouriteQuerySet",
    "ImportRun",
    "Mark",
    "NotDiscardable",
    "Origin",
    "Outcome",
    "Photo",
    "PhotoQuerySet",
    "Precision",
    "Source",
    "SourceFile",
    "SourceFileQuerySet",
    "Step",
    "StepQuerySet",
    "Thumbnail",
    "path_key",
]
