"""Keys, credits and rates, in remove.bg's words."""

import time

import httpx

from gateway.accounts.rate import RateLimit
from tests.support.accounts import Books
from tests.support.pictures import encode, product_photo

FILES = {"image_file": ("photo.png", encode(product_photo()))}


def cause(answer: httpx.Response) -> tuple[int, str]:
    error = answer.json()["errors"][0]
    assert set(error) == {"title", "code", "detail"}
    assert answer.headers["X-Error-Code"] == error["code"]
    return answer.status_code, error["code"]


async def test_a_key_comes_by_either_header_and_costs_a_credit(
    keyed: httpx.AsyncClient, books: Books
) -> None:
    key = books.issue(3)
    for headers in ({"X-Api-Key": key}, {"Authorization": f"Bearer {key}"}):
        answer = await keyed.post("/v1.0/removebg", files=FILES, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["X-Credits-Charged"] == "1"
    account = await keyed.get("/v1.0/account", headers={"X-Api-Key": key})
    assert account.json()["data"]["attributes"]["credits"]["total"] == 1
    assert books.figures(key) == (1, 0, 2)


async def test_without_a_key_or_with_a_wrong_one_it_is_403(
    keyed: httpx.AsyncClient, books: Books
) -> None:
    wrong = books.issue(1)[:-4] + "AAAA"
    for headers in ({}, {"X-Api-Key": wrong}, {"X-Api-Key": "no key"}):
        answer = await keyed.post("/v1.0/removebg", files=FILES, headers=headers)
        assert cause(answer) == (403, "auth_failed")
    assert cause(await keyed.get("/v1.0/account")) == (403, "auth_failed")


async def test_without_credit_it_is_402(keyed: httpx.AsyncClient, books: Books) -> None:
    answer = await keyed.post("/v1.0/removebg", files=FILES, headers={"X-Api-Key": books.issue(0)})
    assert cause(answer) == (402, "insufficient_credits")


async def test_too_often_is_429_with_the_time_to_come_back(
    keyed: httpx.AsyncClient, books: Books
) -> None:
    headers = {"X-Api-Key": books.issue(9, RateLimit(0.05, 1))}
    assert (await keyed.post("/v1.0/removebg", files=FILES, headers=headers)).status_code == 200
    refused = await keyed.post("/v1.0/removebg", files=FILES, headers=headers)
    assert cause(refused) == (429, "rate_limit_exceeded")
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert refused.headers["X-RateLimit-Limit"] == "3"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert int(refused.headers["X-RateLimit-Reset"]) - time.time() <= 21


async def test_a_gateway_without_accounts_charges_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1.0/removebg", files=FILES)
    assert answer.headers["X-Credits-Charged"] == "0"
    assert cause(await http.get("/v1.0/account")) == (404, "no_accounts")
