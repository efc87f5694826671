from gallery.models.albums import Album, AlbumPhoto, AlbumQuerySet
from gallery.models.backups import Backup, BackupQuerySet
from gallery.models.care import (
    Damage,
    DamageQuerySet,
    Verification,
    VerificationQuerySet,
)
from gallery.models.certificates import Certificate, State
from gallery.models.changes import Change, Mark
from gallery.models.corrections import CorrectedDate, Correction
from gallery.models.dates import DateEvidence, FolderToDate
from gallery.models.favourites import Favourite, FavouriteQuerySet
from gallery.models.kept import KeptFile
from gallery.models.photos import (
    NotDiscardable,
    Origin,
    Photo,
    PhotoQuerySet,
    Precision,
    Thumbnail,
)
from gallery.models.purges import Purge
from gallery.models.records import StaleShelf, StaleShelfQuerySet
from gallery.models.restores import Restore
from gallery.models.shares import ShareLink, ShareLinkQuerySet
from gallery.models.sources import (
    ImportRun,
    Keep,
    Outcome,
    Source,
    SourceFile,
    SourceFileQuerySet,
    folder_key,
    path_as_given,
    path_key,
)
from gallery.models.steps import MAX_ATTEMPTS, Step, StepQuerySet
from gallery.models.transfers import Transfer, TransferQuerySet

__all__ = [
    "MAX_ATTEMPTS",
    "Album",
    "AlbumPhoto",
    "AlbumQuerySet",
    "Backup",
    "BackupQuerySet",
    "Certificate",
    "Change",
    "CorrectedDate",
    "Correction",
    "Damage",
    "DamageQuerySet",
    "DateEvidence",
    "Favourite",
    "FavouriteQuerySet",
    "FolderToDate",
    "ImportRun",
    "Keep",
    "KeptFile",
    "Mark",
    "NotDiscardable",
    "Origin",
    "Outcome",
    "Photo",
    "PhotoQuerySet",
    "Precision",
    "Purge",
    "Restore",
    "ShareLink",
    "ShareLinkQuerySet",
    "Source",
    "SourceFile",
    "SourceFileQuerySet",
    "StaleShelf",
    "StaleShelfQuerySet",
    "State",
    "Step",
    "StepQuerySet",
    "Thumbnail",
    "Transfer",
    "TransferQuerySet",
    "Verification",
    "VerificationQuerySet",
    "folder_key",
    "path_as_given",
    "path_key",
]
