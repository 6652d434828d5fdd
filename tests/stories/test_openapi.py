"""The API keeps its own document: schemathesis over all of it, valid and invalid requests (I1)."""

import os
import subprocess
import sys
from pathlib import Path

import requests
from shop import Shop

EXAMPLES = 50 if os.environ.get("FUGOU_TESTS") == "all" else 5


def test_schemathesis_finds_no_failure_in_the_whole_document(shop: Shop) -> None:  # I1
    shop.api.patch("/settings", {"api_requests_per_minute": 1_000_000})
    shop.wecom.add_contact("Anna")
    shop.run_jobs()
    run = subprocess.run(
        [Path(sys.executable).with_name("st"), "--config-file", Path(__file__).with_name("schemathesis.toml"), "run",
         f"{shop.url}/api/v1/openapi.json", "-H", f"Authorization: Bearer {shop.api.key}",
         "--max-examples", str(EXAMPLES), "--no-color", "--request-timeout", "20", "--seed", "20261124"],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:]


def test_the_document_is_openapi_3_1_and_names_the_resources(shop: Shop) -> None:  # I1
    document = requests.get(f"{shop.url}/api/v1/openapi.json", timeout=10).json()
    assert document["openapi"].startswith("3.1")
    for path in ("/orders", "/customers/{id}/points", "/live-codes", "/welcome-rules", "/segment-groups", "/settings"):
        assert f"/api/v1{path}" in document["paths"]
