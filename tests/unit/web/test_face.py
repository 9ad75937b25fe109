"""What the face does besides its contracts: traces, cancelling, readiness, who may call, CORS."""

import asyncio
import dataclasses
import logging
from pathlib import Path

import httpx
import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from processes.settings import SettingError, load
from tests.support.certificates import Authority
from tests.support.faces import serving_face
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from web.config import WebConfig

FILES = {"image_file": ("photo.png", encode(product_photo()))}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_the_trace_s_context_reaches_the_gateway(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    wrong = {"image_file": ("photo.png", b"no picture")}
    answer = await http.post("/v1.0/removebg", files=wrong, headers=headers)
    # What the gateway's errors carry is the trace that it was called in.
    assert answer.headers["X-Trace-Id"] == TRACE
    (line,) = (each for each in caplog.records if each.name == "web")
    assert line.__dict__["trace_id"] == TRACE
    assert line.__dict__["status"] == 400
    broken = await http.post("/v1.0/removebg", files=FILES, headers={"traceparent": "nonsense"})
    assert broken.status_code == 200


async def test_a_caller_who_leaves_has_the_render_cancelled(
    http: httpx.AsyncClient, inference: FakeInferenceServer
) -> None:
    inference.delay_s = 60
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/v1.0/removebg", files=FILES, timeout=httpx.Timeout(30, read=1))
    async with asyncio.timeout(30):
        while not inference.cancelled:
            await asyncio.sleep(0.01)


async def test_readiness_follows_the_gateway_and_life_does_not(
    http: httpx.AsyncClient, gateway: Gateway
) -> None:
    async with asyncio.timeout(30):
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)
    await gateway.stop()
    answer = await http.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "not ready\n")
    assert (await http.get("/livez")).status_code == 200
    assert "packshot_web_ready 0.0" in (await http.get("/metrics")).text
    away = await http.post("/v1.0/removebg", files=FILES)
    assert (away.status_code, away.json()["errors"][0]["code"]) == (503, "unavailable")
    assert "Retry-After" in away.headers


async def test_other_machines_may_call_only_where_that_is_meant(config: WebConfig) -> None:
    for allowed, status in ((False, 403), (True, 200)):
        exposed = dataclasses.replace(config, host="0.0.0.0", allow_anonymous=allowed)  # noqa: S104
        async with serving_face(exposed) as url, httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{url}/v1.0/removebg", files=FILES)
            assert answer.status_code == status
            choices = await http.get(f"{url}/api/choices")
            assert choices.status_code == status


async def test_a_key_never_goes_out_in_the_clear(config: WebConfig) -> None:
    far = dataclasses.replace(config, gateway="gateway.invalid:50051")
    async with serving_face(far) as url, httpx.AsyncClient(trust_env=False) as http:
        headers = {"X-Api-Key": "pk_a_b"}
        answer = await http.post(f"{url}/v1.0/removebg", files=FILES, headers=headers)
    assert answer.status_code == 403
    assert "in the clear" in answer.json()["errors"][0]["detail"]


async def test_pages_of_other_origins_may_call_where_they_are_listed(config: WebConfig) -> None:
    listed = dataclasses.replace(config, cors_origins=("https://shop.example",))
    for settings, allowed in ((config, None), (listed, "https://shop.example")):
        async with serving_face(settings) as url, httpx.AsyncClient(trust_env=False) as http:
            for origin in ("https://shop.example", "https://evil.example"):
                answer = await http.post(
                    f"{url}/v1.0/removebg", files=FILES, headers={"Origin": origin}
                )
                told = answer.headers.get("Access-Control-Allow-Origin")
                assert told == (allowed if origin.startswith("https://shop") else None)


async def test_the_page_is_bound_to_itself(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert (await http.get("/page/../config.py")).status_code == 404
    assert (await http.get("/page/app.js")).status_code == 200


async def test_the_gateway_is_called_by_mutual_tls(
    gateway_config: GatewayConfig,
    inference: FakeInferenceServer,
    tmp_path: Path,
) -> None:
    authority = Authority()
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    certificate, key = authority.sign().write(tmp_path, "gateway")
    mine, my_key = authority.sign("face").write(tmp_path, "face")
    secured = dataclasses.replace(
        gateway_config, tls_cert=certificate, tls_key=key, tls_client_ca=ca
    )
    gateway = Gateway(secured, inference)
    await gateway.start()
    target = f"localhost:{gateway.port}"
    proven = WebConfig(gateway=target, gateway_ca=ca, gateway_cert=mine, gateway_key=my_key)
    for config, status in ((proven, 200), (WebConfig(gateway=target, gateway_ca=ca), 503)):
        async with serving_face(config) as url, httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{url}/v1.0/removebg", files=FILES, timeout=60)
            assert answer.status_code == status, answer.text
    await gateway.stop()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--fetch-hosts", "a.example"], "PACKSHOT_WEB_FETCH_HOSTS needs"),
        (["--gateway-cert", "c.pem"], "need each other"),
        (["--cors-origins", "shop.example"], "an origin is SCHEME://HOST"),
        (["--max-bytes-in-flight", "1000"], "PACKSHOT_WEB_MAX_BYTES_IN_FLIGHT is 1000"),
        (["--idle-timeout-s", "0"], "PACKSHOT_WEB_IDLE_TIMEOUT_S is 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(argv: list[str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        load(WebConfig, {}, argv, prog="web")
