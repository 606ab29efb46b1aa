from __future__ import annotations

import io
from pathlib import Path

import pytest
from conftest import Claude, draw, send
from fastapi.testclient import TestClient
from PIL import Image

from photos.app import create
from photos.settings import Settings


def test_a_photo_is_kept_once(api: TestClient) -> None:
    photo = send(api, draw("house"), "../../house.png")
    assert (photo["name"], photo["width"], photo["media_type"]) == ("house.png", 200, "image/png")
    again = api.post("/v1/photos", files={"file": ("b.png", draw("house"))})
    assert again.status_code == 200 and again.json()["id"] == photo["id"]
    image = api.get(f"/v1/photos/{photo['id']}/image")
    assert image.content == draw("house") and image.headers["x-content-type-options"] == "nosniff"


def test_claude_looks_at_it_and_it_is_found(api: TestClient, claude: Claude) -> None:
    house, sea = send(api, draw("house")), send(api, draw("sea"))
    assert api.get("/v1/search", params={"q": "roof"}).json() == []
    looked = api.post(f"/v1/photos/{house['id']}/look").json()
    assert looked["seen"]["text"] == "No. 17" and looked["seen"]["things"][0]["label"] == "house"
    shown = claude.asked[0]["messages"][0]["content"][0]["source"]
    assert shown["media_type"] == "image/jpeg" and len(shown["data"]) > 1000
    for question in ("roof", "red hou", "17", "a.png"):
        found = [photo["id"] for photo in api.get("/v1/search", params={"q": question}).json()]
        assert house["id"] in found and (question == "a.png" or sea["id"] not in found), question
    assert api.get("/v1/search", params={"q": '" OR * NEAR('}).json() == []


def test_the_same_picture_comes_first(api: TestClient) -> None:
    house = send(api, draw("house"))
    smaller = send(api, draw("house", 120, "JPEG", 40), "b.jpg")
    others = [send(api, draw(kind)) for kind in ("sea", "lines")]
    found = api.get(f"/v1/photos/{house['id']}/similar").json()
    assert [match["same"] for match in found] == [True, False, False]
    assert found[0]["photo"]["id"] == smaller["id"]
    assert {match["photo"]["id"] for match in found[1:]} == {photo["id"] for photo in others}


def test_pages(api: TestClient) -> None:
    ids = [send(api, draw("lines", size))["id"] for size in (100, 120, 140)]
    first = api.get("/v1/photos", params={"limit": 2}).json()
    second = api.get("/v1/photos", params={"limit": 2, "after": first["next"]}).json()
    assert [photo["id"] for photo in first["photos"] + second["photos"]] == ids
    assert second["next"] is None


def test_what_is_removed_is_gone(api: TestClient, tmp_path: Path) -> None:
    photo = send(api, draw("sea"))
    assert api.delete(f"/v1/photos/{photo['id']}").status_code == 204
    assert api.get(f"/v1/photos/{photo['id']}").status_code == 404
    assert list((tmp_path / "files").iterdir()) == []


def test_the_catalogue_outlives_the_process(tmp_path: Path) -> None:
    with TestClient(create(Settings(folder=tmp_path))) as api:
        photo = send(api, draw("house"))
    with TestClient(create(Settings(folder=tmp_path))) as api:
        assert api.get(f"/v1/photos/{photo['id']}").json() == photo


def test_a_photo_that_was_turned_stands_upright(api: TestClient) -> None:
    image, out = Image.new("RGB", (40, 20)), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif)
    photo = send(api, out.getvalue())
    assert (photo["width"], photo["height"]) == (20, 40)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"not a picture", 415, "no_picture"),
        (b"", 415, "no_picture"),
        (draw("house")[:400], 422, "damaged_picture"),
        (b"\0" * 200_001, 413, "too_large"),
        (draw("lines", 1001), 413, "too_many_pixels"),
    ],
)
def test_what_is_no_photo_is_refused(api: TestClient, data: bytes, status: int, code: str) -> None:
    response = api.post("/v1/photos", files={"file": ("x.png", data)})
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("status", "hint"), [(401, "ANTHROPIC_API_KEY"), (529, "try again")])
def test_claude_being_away_is_told(api: TestClient, claude: Claude, status: int, hint: str) -> None:
    photo = send(api, draw("house"))
    claude.status = status
    response = api.post(f"/v1/photos/{photo['id']}/look")
    assert response.status_code == 502 and hint in response.json()["error"]["hint"]
    claude.close()
    assert api.get(f"/v1/photos/{photo['id']}").json()["seen"] is None


def test_an_odd_answer_is_not_kept(api: TestClient, claude: Claude) -> None:
    photo = send(api, draw("house"))
    claude.answer["things"] = [{"label": "house", "left": 7, "top": 0, "right": 1, "bottom": 1}]
    assert api.post(f"/v1/photos/{photo['id']}/look").json()["error"]["code"] == "vision_odd"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/photos/99", 404), ("/v1/photos/x", 422), ("/v1/photos?limit=0", 422), ("/nothing", 404)],
)
def test_errors_have_one_form(api: TestClient, path: str, status: int) -> None:
    response = api.get(path)
    error = response.json()["error"]
    assert response.status_code == status and set(error) == {"code", "message", "hint", "request_id"}
    assert response.headers["x-request-id"] == error["request_id"]


def test_who_calls_too_often_waits(tmp_path: Path) -> None:
    with TestClient(create(Settings(folder=tmp_path, calls_per_minute=3))) as api:
        statuses = [api.get("/v1/photos").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert int(api.get("/v1/photos").headers["retry-after"]) >= 1
