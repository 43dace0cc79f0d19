"""Forms, drawn from the declarations of settings and read again: pure functions, which know no request and do no I/O.

`form_of` makes what `templates/forms.html` draws, `read_form` reads what comes back, and `changes` says what is new.
"""

from otppi.admin.forms.build import Shown, form_of
from otppi.admin.forms.changes import EFFECTS, SettingChange, changes, saved
from otppi.admin.forms.controls import asked_for
from otppi.admin.forms.read import FormInput, read_form
from otppi.admin.forms.values import spoken
from otppi.admin.forms.view import Control, FormChoice, FormField, FormGroup, FormProblem, FormRow, FormView

__all__ = [
    "EFFECTS",
    "Control",
    "FormChoice",
    "FormField",
    "FormGroup",
    "FormInput",
    "FormProblem",
    "FormRow",
    "FormView",
    "SettingChange",
    "Shown",
    "asked_for",
    "changes",
    "form_of",
    "read_form",
    "saved",
    "spoken",
]
