"""Asking a site for its pages as a browser does, through all of Django but the network."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any


def timed(client: Any, addresses: Sequence[str], *, again: int = 1) -> dict[str, float]:
    """Return the 95th percentile of the time of pages, and their most queries.

    The first three are asked for once before, uncounted; then each `again` times.
    """
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    queries = 0
    for address in addresses[:3]:
        with CaptureQueriesContext(connection) as captured:
            answer(client, address)
        queries = max(queries, len(captured.captured_queries))
    spent, used = zip(
        *(answer(client, one) for one in addresses for _ in range(again)), strict=True
    )
    return {
        "p95_ms": p95(spent),
        # What this process computed: hardly moved by what else the machine does.
        "p95_cpu_ms": p95(used),
        "queries": queries,
    }


def p95(seconds: Sequence[float]) -> float:
    return round(1000 * sorted(seconds)[int(0.95 * (len(seconds) - 1))], 1)


def answer(client: Any, address: str) -> tuple[float, float]:
    """Return the seconds an answer took, and those this process computed."""
    started, computed = time.perf_counter(), time.process_time()
    response = client.get(address)
    spent = time.perf_counter() - started, time.process_time() - computed
    if response.status_code != 200:
        sys.exit(f"{address} answered {response.status_code}.")
    return spent


def lines(pages: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return what was measured of pages, a line each."""
    return [
        f"{name:28} {page['p95_ms']:8.1f} ms {page['p95_cpu_ms']:8.1f} ms CPU  {page['queries']:3} queries"
        for name, page in pages.items()
    ]
