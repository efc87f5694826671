from django import template

from imagevault.spoken import spoken

register = template.Library()
register.filter("spoken", spoken)
