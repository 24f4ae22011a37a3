"""`fleetdesk mail --dry-run`: the mails as files to look at, before anybody gets one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetdesk.outputs.crew.drawing import picture
from fleetdesk.outputs.crew.words import words_of
from fleetdesk.outputs.mail.message import mail_page, subject
from fleetdesk.store.files import replace_text
from fleetdesk.workflows.context import OUTPUTS_FOLDER, Clock, open_context, utc_now
from fleetdesk.workflows.crew_files import file_names
from fleetdesk.workflows.mailing import MailOptions, lacking, messages, post
from fleetdesk.workflows.map_ground import map_ground
from fleetdesk.workflows.moment import parkings

FOLDER = "mail preview"
NOBODY = "sender@not-filled-in.invalid"


@dataclass(frozen=True)
class Preview:
    """Who would get which mail, where each can be looked at, and what is missing to send them."""

    plan: str
    mails: Mapping[str, str]
    files: tuple[Path, ...]
    left_out: Mapping[str, str]
    missing: tuple[str, ...] = ()

    def as_dict(self) -> Mapping[str, Any]:
        """For the command line."""
        lines = [f"Would send {len(self.mails)} mails of plan {self.plan}; nothing was sent."]
        lines += [f"  {worker}: {about}" for worker, about in self.mails.items()]
        lines += [f"  {worker}: no mail, {why}" for worker, why in self.left_out.items()]
        if self.missing:
            lines.append(f"Before mails can be sent, fill in {' and '.join(self.missing)} on Mail.")
        if self.files:
            lines.append(f"Preview   {self.files[0].parent}")
        return {
            "plan": self.plan,
            "mails": dict(self.mails),
            "left_out": dict(self.left_out),
            "missing": list(self.missing),
            "files": [str(path) for path in self.files],
            "text": "\n".join(lines),
        }


def preview(
    address: str | Path,
    options: MailOptions,
    *,
    folder: Path | None = None,
    clock: Clock = utc_now,
) -> Preview:
    """Write each mail as a page for the browser and as .eml for mail programs; send nothing."""
    with open_context(str(address), folder, clock, writing=False) as context:
        settings = context.settings
        missing = tuple(lacking(settings))
        if not settings.mail.sender:
            named = settings.mail.model_copy(update={"sender": NOBODY})
            settings = settings.model_copy(update={"mail": named})
        letters = post(context, options)
        place = context.folder / OUTPUTS_FOLDER / letters.plan.run_id / FOLDER
        place.mkdir(parents=True, exist_ok=True)
        going = letters.going
        names = file_names([letter.route.worker for letter in going])
        ground, _ = map_ground(settings, context.folder)
        mails = messages(letters, settings, context.clock(), ground)
        words, places = words_of(settings.mail.language), parkings(settings)
        files = []
        for name, letter, mail in zip(names, going, mails, strict=True):
            code = base64.b64encode(picture(letter.route, places, words, ground)).decode()
            page = mail_page(letter.route, settings.mail, f"data:image/png;base64,{code}")
            for end, text in ((".html", page), (".eml", mail.as_string())):
                replace_text(place / f"{name}{end}", text)
                files.append(place / f"{name}{end}")
        return Preview(
            plan=letters.plan.run_id,
            mails={
                letter.route.worker: f"{subject(letter.route, settings.mail)} -> {letter.to}"
                for letter in going
            },
            files=tuple(files),
            left_out={
                letter.route.worker: letter.skipped for letter in letters.letters if letter.skipped
            },
            missing=missing,
        )
