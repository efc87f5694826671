"""Texts of Django's own pages whose German would say "Sie" beside the site's "du".

What stands in the site's catalogue goes before Django's; listed here, it stays there.
"""

from django.utils.translation import gettext_noop as _

PHRASES = [
    _(
        "You are authenticated as %(username)s, but are not authorized to access this "
        "page. Would you like to login to a different account?"
    ),
    _("Hold down “Control”, or “Command” on a Mac, to select more than one."),
    _("Enter a new password for the user <strong>%(username)s</strong>."),
    _("Your password was changed."),
    _(
        "Are you sure you want to delete the selected %(objects_name)s? All of the "
        "following objects and their related items will be deleted:"
    ),
    _(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All '
        "of the following related items will be deleted:"
    ),
]
