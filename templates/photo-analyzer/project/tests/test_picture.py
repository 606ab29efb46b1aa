from __future__ import annotations

from conftest import draw

from photos.limit import Limiter
from photos.picture import distance, read


def test_a_hash_survives_scaling_and_compression() -> None:
    kinds = {kind: read(draw(kind, 400), 10**6).hash for kind in ("house", "sea", "lines")}
    for kind, known in kinds.items():
        for size, quality in ((100, 30), (237, 60), (900, 95)):
            again = read(draw(kind, size, "JPEG", quality), 10**6).hash
            assert distance(known, again) <= 10, (kind, size, quality)
    names = list(kinds)
    assert all(distance(kinds[a], kinds[b]) > 10 for a in names for b in names if a < b)


def test_a_look_is_as_long_as_any_other() -> None:
    looks = [read(draw(kind), 10**6).look for kind in ("house", "sea")]
    assert all(abs(float(look @ look) - 1) < 1e-5 for look in looks)
    assert float(looks[0] @ looks[1]) < 0.99


def test_a_budget_refills() -> None:
    now = [0.0]
    limiter = Limiter(60, lambda: now[0])
    assert [limiter.wait_s("a") for _ in range(60)] == [0.0] * 60
    assert 0 < limiter.wait_s("a") <= 1 and limiter.wait_s("b") == 0
    now[0] = 1.0
    assert limiter.wait_s("a") == 0
