"""What the gallery's programs write into rows, so that pages can say it in any language.

`{}` stands for what varies. The sentences on dates and the reasons why something cannot
be read are written in modules that know no languages.
"""

from django.utils.translation import gettext_noop as _

PHRASES = [
    # dates
    _("Somebody of the family said when it was taken."),
    _("Somebody of the family said when it was taken, {}."),
    _("The camera wrote down when it took the photo."),
    _("The camera wrote down when it took the photo, {}."),
    _("The camera or scanner wrote down when it made the file."),
    _("The camera or scanner wrote down when it made the file, {}."),
    _("A program's note in the file says when it was taken."),
    _("A program's note in the file says when it was taken, {}."),
    _("A note that a program put beside the file says when it was taken."),
    _("A note that a program put beside the file says when it was taken, {}."),
    _("Google Photos noted when it was taken."),
    _("Google Photos noted when it was taken, {}."),
    _("The name of the file says when it was taken."),
    _("The name of the file says when it was taken, {}."),
    _("The time of the file says it, and is right for the photos beside it."),
    _("The time of the file says it, and is right for the photos beside it, {}."),
    _("The camera's numbers put it between photos whose dates are known."),
    _("The camera's numbers put it between photos whose dates are known, {}."),
    _("The name of the folder says when it was taken."),
    _("The name of the folder says when it was taken, {}."),
    _("A scanner or a program wrote down when it made the file, {}."),
    _("The name of the file says when it was sent or scanned, {}."),
    _("The name of the folder says when it was filled, {}."),
    _("A program wrote down when it last changed the photo."),
    _("A program wrote down when it last changed the photo, {}."),
    _("Only the time of the last change of the file is known."),
    _("Only the time of the last change of the file is known, {}."),
    _("Nothing says when this photo was taken."),
    _("Nothing says when this photo was taken, {}."),
    _("to the minute"),
    _("to the day"),
    _("to the month"),
    _("to the season"),
    _("to the year"),
    _("to the decade"),
    _("so the photo may be older"),
    # decoding, renditions, sandbox
    _("the end of the file is missing"),
    _("the file is damaged ({})"),
    _("the file cannot be read ({})"),
    _("the file is empty"),
    _("this is not a picture"),
    _("the picture has no pixels"),
    _("too many pixels: {} x {}"),
    _("this {} file is damaged, or of a kind that cannot be shown"),
    _("nothing can be shown of a part of it"),
    _("nothing of the picture is left"),
    _("shown as far as it goes"),
    _("decoding took longer than {} seconds"),
    _("decoding needed more than {} MB of memory"),
    _("the decoder was killed, perhaps because the machine ran out of memory"),
    _("the decoder crashed"),
    # steps
    _("the program broke off {} times while it worked on this"),
    _("it was begun too often"),
    # arrivals
    _("it is larger than {} GB"),
    _("it is empty"),
    _("it did not arrive as it was sent, send it again"),
]
