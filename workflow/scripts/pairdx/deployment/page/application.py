"""The page's addresses and what each answers.

``/`` is the page, with a form that needs no JavaScript; ``/results`` is the same answer without the
page around it, for the page's script; ``/classify`` answers programs with JSON; ``/card`` is the
model card.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from pairdx.deployment.page.card import card_of
from pairdx.deployment.page.guard import guard
from pairdx.deployment.page.limits import Limits
from pairdx.deployment.page.results import Result, results_of
from pairdx.deployment.page.uploads import RequestInMemory, uploads_of
from pairdx.deployment.page.words import on_abstention, on_answers, on_caption, percent
from pairdx.deployment.page.work import BusyError, Worker
from pairdx.deployment.session import Model
from pairdx.errors import PairDxError

SHOWN_BARS = 8  # of many classes; the others are folded up
FORBIDDEN = 403
RETRY_SECONDS = 5  # after which a program may ask again
EMPTY_ENTRIES = 3  # of the form without JavaScript, where each image has a caption

logger = logging.getLogger("pairdx")


def application(
    model: Model, host: str, limits: Limits | None = None, worker: Worker | None = None
) -> Flask:
    """Return the page of a system.

    Args:
        model: The system.
        host: What it is served at, see :mod:`.guard`.
        limits: What one upload may hold.
        worker: What classifies; one of its own where none is given.
    """
    limits = limits or Limits()
    app = Flask(__name__)
    app.request_class = RequestInMemory
    app.config.update(
        MAX_CONTENT_LENGTH=limits.request_bytes,
        MAX_FORM_MEMORY_SIZE=limits.form_bytes,
        MAX_FORM_PARTS=4 * limits.files,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.jinja_env.filters["percent"] = percent
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    guard(app, host)
    _Pages(model, limits, worker or Worker()).add_to(app)
    return app


class _Pages:
    """What is shown of one system."""

    def __init__(self, model: Model, limits: Limits, worker: Worker) -> None:
        self.model, self.folder, self.limits = model, model.folder, limits
        self.card = card_of(model.folder.path)
        self.worker = worker

    def add_to(self, app: Flask) -> None:
        """Make these pages answer."""
        app.add_url_rule("/", "index", self.index)
        app.add_url_rule("/", "form", self.form, methods=["POST"])
        app.add_url_rule("/results", "results", self.results, methods=["POST"])
        app.add_url_rule("/classify", "classify", self.classify, methods=["POST"])
        app.add_url_rule("/card", "card", self.show_card)
        app.register_error_handler(HTTPException, self.refused)
        app.register_error_handler(BusyError, self.busy)
        app.register_error_handler(PairDxError, self.failed)
        app.register_error_handler(Exception, self.broken)

    def index(self) -> str:
        """The page with an empty form."""
        return self.page("index.html", results=None)

    def form(self) -> str | tuple[str, int]:
        """The page with what its form asked for."""
        found = self.asked()
        if isinstance(found, str):
            return self.page("index.html", results=None, wrong=found), 400
        return self.page("index.html", results=found)

    def results(self) -> str | tuple[str, int]:
        """The answers alone."""
        found = self.asked()
        if isinstance(found, str):
            return self.page("wrong.html", wrong=found), 400
        return self.page("results.html", results=found)

    def classify(self) -> Response | tuple[Response, int]:
        """The answers for programs."""
        found = self.asked()
        if isinstance(found, str):
            return jsonify(error=found), 400
        several = self.folder.several
        return jsonify(
            system=self.folder.facts["system"],
            identity=self.folder.identity,
            stand_in=self.folder.facts["stand_in"],
            results=[result.as_json(several=several) for result in found],
        )

    def show_card(self) -> str:
        """The model card."""
        return self.page("card.html", card=self.card)

    def asked(self) -> list[Result] | str:
        """Classify what a request holds; a sentence where it holds nothing that can be."""
        if (request.content_length or 0) > self.limits.request_bytes:
            raise RequestEntityTooLarge  # before it is asked to come back when there is time
        return self.worker.do(self.read_and_classify)

    def read_and_classify(self) -> list[Result] | str:
        """Do all of a request that takes memory."""
        found = uploads_of(request, self.limits, images=self.folder.reads_images)
        return found if isinstance(found, str) else results_of(self.model, found, self.limits)

    def page(self, template: str, **values: Any) -> str:
        """Fill in a template."""
        return render_template(
            template,
            facts=self.folder.facts,
            folder=self.folder,
            limits=self.limits,
            on_abstention=on_abstention(self.folder),
            on_answers=on_answers(self.folder),
            on_caption=on_caption(self.folder),
            shown_bars=SHOWN_BARS,
            entries=EMPTY_ENTRIES if self.folder.reads_captions else 1,
            **values,
        )

    def refused(self, error: HTTPException) -> Any:
        """Say why a request was refused, in the way in which it asked."""
        said = error.description or error.name
        if isinstance(error, RequestEntityTooLarge):
            said = self.limits.too_much
        elif error.code == 404:
            said = "There is no such page."
        elif error.code == 405:
            said = "Nothing here answers requests of that kind."
        answer = make_response(self.said(said, error.code or 500))
        stated = error.get_headers(request.environ)  # how to ask instead, or when
        answer.headers.extend((name, value) for name, value in stated if name != "Content-Type")
        return answer

    def busy(self, error: BusyError) -> Any:
        """Say that there is no time for a request now."""
        answer = make_response(self.said(str(error), 503))
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer

    def failed(self, error: PairDxError) -> Any:
        """Say what a user can mend; where on this machine, the terminal alone is told."""
        logger.error("%s", error)
        return self.said(f"This could not be classified: {error.what}.", 500)

    def broken(self, _: Exception) -> Any:
        """Say that something is wrong that no user can mend."""
        logger.exception("This is a defect of the page, not of your input; the traceback follows.")
        return self.said("Something went wrong here. The terminal of the page says what.", 500)

    def said(self, sentence: str, status: int) -> Any:
        """Answer with a sentence: a page, a part of one or JSON."""
        if request.path == "/classify":
            return jsonify(error=sentence), status
        if status == FORBIDDEN:  # whoever it is, is told nothing of the system
            return Response(f"{sentence}\n", status, mimetype="text/plain")
        alone = request.path == "/results"
        return self.page("wrong.html" if alone else "refused.html", wrong=sentence), status
