#!/usr/bin/env python3
"""Asks questions with Google's own Python client.

usage: google_query.py BASE_URL KEY_FILE <QUESTIONS

Every line of QUESTIONS is {"property": ID, "request": RunReportRequest in JSON}. Prints a line with the answer before it reads
the next one: all rows of all pages as {"rows": [{"dimensions": [TEXT], "metrics": [NUMBER]}], "row_count": NUMBER}, or
{"error": MESSAGE}.

needs: google-auth google-analytics-data requests
"""

import json
import sys
from urllib.parse import urlsplit

from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
    BetaAnalyticsDataRestTransport,
)
from google.analytics.data_v1beta.types import RunReportRequest
from google.api_core.exceptions import BadRequest
from google.oauth2 import service_account

SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
PAGE = 250_000


def pages(client, prop, body):
    """Every page of a report, up to the limit of its request."""
    limit = int(body.get("limit", 10**9))
    offset = 0
    while offset < limit:
        body = {**body, "offset": offset, "limit": min(PAGE, limit - offset)}
        request = RunReportRequest.from_json(json.dumps(body))
        request.property = f"properties/{prop}"
        page = client.run_report(request, timeout=300)
        yield page
        offset += len(page.rows)
        if not page.rows or offset >= page.row_count:
            return


def answer(client, prop, body):
    rows, count = [], 0
    try:
        for page in pages(client, prop, body):
            count = page.row_count
            for row in page.rows:
                dimensions = [cell.value for cell in row.dimension_values]
                rows.append({"dimensions": dimensions, "metrics": [float(cell.value) for cell in row.metric_values]})
    except BadRequest as error:
        return {"error": error.message}
    return {"rows": rows, "row_count": count}


def main():
    base_url, key_file = sys.argv[1:]
    credentials = service_account.Credentials.from_service_account_file(key_file, scopes=[SCOPE])
    host = urlsplit(base_url).netloc
    transport = BetaAnalyticsDataRestTransport(host=host, url_scheme="http", credentials=credentials)
    client = BetaAnalyticsDataClient(transport=transport)
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(answer(client, question["property"], question["request"])), flush=True)


if __name__ == "__main__":
    main()
