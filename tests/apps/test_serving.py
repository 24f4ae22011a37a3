from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

fastapi = pytest.importorskip("fastapi", reason="the extra serve is not installed")
from fastapi.testclient import TestClient  # noqa: E402

from fleetdesk.apps.serving_api import Bucket, make_app  # noqa: E402
from fleetdesk.riders.churn import train  # noqa: E402
from fleetdesk.riders.quick_chances import ready  # noqa: E402
from fleetdesk.settings import secrets  # noqa: E402
from fleetdesk.settings.schema import Settings  # noqa: E402
from fleetdesk.workflows.serve import KNOWN, Scorer, load_scorer, token_for_server  # noqa: E402

TOKEN = "a-token-long-enough-for-anyone"


class Watch:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def scorer():
    """Riders who have not ridden for long leave."""
    rng = np.random.default_rng(1)
    away = rng.uniform(0, 40, 600)
    frame = pd.DataFrame(
        {"days_since_last_trip": away, "km_30d": 100 - 2 * away, "package": "Light",
         "channel": "street"}
    )  # fmt: skip
    left = rng.random(600) < np.where(away > 20, 0.9, 0.05)
    columns = (("days_since_last_trip", "km_30d"), ("package", "channel"))
    model = train(frame, left, "gradient boosting", 1, columns=columns)
    return Scorer(ready(model), None, Settings(),
                  "2026-06-16T00:00:00+00:00")  # fmt: skip


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def client(scorer, watch):
    return TestClient(make_app(scorer, KNOWN, TOKEN, 600, watch))


def ask(client, riders, token=TOKEN):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.post("/v1/score", json={"riders": riders}, headers=headers)


def test_riders_are_scored_in_their_order(client):
    answer = ask(
        client,
        [
            {"rider_id": "gone", "days_since_last_trip": 35, "km_30d": 30, "package": "Light"},
            {"rider_id": "here", "days_since_last_trip": 1, "km_30d": 98, "package": "Light"},
            {"rider_id": 17},
        ],
    )
    assert answer.status_code == 200
    gone, here, unknown = answer.json()["riders"]
    assert (gone["rider_id"], gone["band"]) == ("gone", "High")
    assert (here["rider_id"], here["band"]) == ("here", "Low")
    assert 0 <= unknown["risk_pct"] <= 100 and unknown["rider_id"] == 17
    assert gone["action"] == Settings().churn.high_action
    assert answer.json()["model_made_at"].startswith("2026")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1]])
def test_without_the_token_nothing_is_told(client, token):
    answer = ask(client, [{"km_30d": 1}], token)
    assert answer.status_code == 401
    assert "riders" not in answer.text


def test_more_than_the_limit_must_wait(scorer, watch):
    client = TestClient(make_app(scorer, KNOWN, TOKEN, 20, watch))
    codes = [ask(client, [{"km_30d": 1}]).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    watch.now += 3.0  # one more is allowed every three seconds
    assert ask(client, [{"km_30d": 1}]).status_code == 200
    late = ask(client, [{"km_30d": 1}])
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) >= 3


def test_who_lacks_the_token_cannot_use_up_the_limit(scorer, watch):
    client = TestClient(make_app(scorer, KNOWN, TOKEN, 20, watch))
    for _ in range(50):
        ask(client, [{"km_30d": 1}], "wrong")
    assert ask(client, [{"km_30d": 1}]).status_code == 200


@pytest.mark.parametrize(
    "riders", [[], [{"shoe_size": 43}], [{"km_30d": "far"}], [{"age_group": "18-24"}], [{}] * 1001]
)
def test_what_cannot_be_used_is_refused(client, riders):
    answer = ask(client, riders)
    assert answer.status_code == 422


def test_the_interface_is_described(client):
    told = client.get("/openapi.json").json()
    assert "/v1/score" in told["paths"]
    assert told["components"]["securitySchemes"]
    assert client.get("/health").json() == {"status": "ok"}


def test_a_bucket_never_holds_more_than_its_size(watch):
    bucket = Bucket(60, watch)
    watch.now += 1e6
    passed = sum(bucket.wait_s() == 0 for _ in range(100))
    assert passed == 6


def test_one_rider_is_scored_at_once(client):
    ask(client, [{"km_30d": 1}])
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert ask(client, [{"km_30d": 50, "days_since_last_trip": 3}]).status_code == 200
        took.append(time.perf_counter() - began)
    assert min(took) < 0.5  # the bar of 50 ms is the benchmark's


def test_without_a_model_the_fix_is_told(tmp_path):
    from fleetdesk.errors import FleetDeskError

    with pytest.raises(FleetDeskError, match="no model of churn"):
        load_scorer(tmp_path)


def test_the_token_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv(secrets.variable("serve-token"), TOKEN)
    assert token_for_server() == (TOKEN, False)
