"""What dedup's programs write into rows, so that pages can say it in any language.

`{}` stands for what varies.
"""

from django.utils.translation import gettext_noop as _

PHRASES = [
    # Why one is the keeper
    _("intact"),
    _("the whole picture"),
    _("without a frame"),
    _("unedited"),
    _("in its own colours"),
    _("largest"),
    _("not enlarged"),
    _("raw file"),
    _("camera EXIF"),
    _("best quality"),
    _("seen most often"),
    _("as good as the others"),
    # How another differs from it
    _("damaged"),
    _("with a frame"),
    _("without the frame"),
    _("cropped to {} %"),
    _("shows more"),
    _("turned by {}°"),
    _("black and white"),
    _("other colours"),
    _("scaled to {} %"),
    _("enlarged to {} %"),
    _("saved again from the keeper"),
    _("same pixels"),
    _("mirrored"),
    _("something was changed in it"),
    _("camera data lost"),
    _("saved as {}"),
    _("re-saved at lower quality"),
    _("seen less often"),
    _("no better than the keeper"),
    # What a judgement rests on
    _("Every pixel is the same."),
    _("The cameras' own capture times differ."),
    _("They were taken with different exposures."),
    _("Something moved between the two."),
    _("They agree, but less well than copies do."),
    _("The same scene, but many places differ."),
    _("They do not show the same."),
    _("There is little to see in them, but all of it agrees."),
    _("There is too little in them to judge by."),
    # xgettext:no-python-format
    _("{} % of what can be compared agrees."),
    # xgettext:no-python-format
    _("{} % of what can be compared agrees, but one part differs."),
]
