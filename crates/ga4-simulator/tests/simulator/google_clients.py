#!/usr/bin/env python3
"""Google's own Python packages against the simulator.

usage: google_clients.py BASE_URL KEY_FILE

Signs in with google-auth, reads reports with google-analytics-data over REST (with an access token, then with a
self-signed JWT) and the listing with google-analytics-admin. Prints what it sees; any mismatch ends it with status 1.
The world must be the demo's: eight properties of three accounts.

needs: google-auth google-analytics-data google-analytics-admin requests
"""

import sys
from urllib.parse import urlsplit

from google.analytics.admin_v1beta import AnalyticsAdminServiceClient
from google.analytics.admin_v1beta.services.analytics_admin_service.transports import (
    AnalyticsAdminServiceRestTransport,
)
from google.analytics.admin_v1beta.types import ListAccountSummariesRequest, ServiceLevel
from google.analytics.data_v1beta import BetaAnalyticsDataClient
from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
    BetaAnalyticsDataRestTransport,
)
from google.analytics.data_v1beta.types import (
    BatchRunReportsRequest,
    CheckCompatibilityRequest,
    Compatibility,
    DateRange,
    Dimension,
    Filter,
    FilterExpression,
    Metric,
    MetricAggregation,
    MetricType,
    MinuteRange,
    OrderBy,
    RunRealtimeReportRequest,
    RunReportRequest,
)
from google.api_core.exceptions import BadRequest, Forbidden
from google.auth.transport.requests import Request
from google.oauth2 import service_account

SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
SHOP = "properties/313110001"
SILENT = "properties/313110007"
FORBIDDEN = "properties/313110008"


def expect(what, seen, wanted=True):
    """Prints what was seen, and ends the program unless it is what was wanted."""
    print(f"{what}: {seen!r}")
    if seen != wanted:
        sys.exit(f"MISMATCH: {what} is {seen!r}, not {wanted!r}")


def report(prop, metrics, dimensions=(), ranges=(("today", "today", ""),), **more):
    return RunReportRequest(
        property=prop,
        metrics=[Metric(name=name) for name in metrics],
        dimensions=[Dimension(name=name) for name in dimensions],
        date_ranges=[DateRange(start_date=a, end_date=b, name=name) for a, b, name in ranges],
        **more,
    )


def values(response):
    return [
        ([v.value for v in row.dimension_values], [v.value for v in row.metric_values])
        for row in response.rows
    ]


def refusal(error, call):
    """The message of a refusal. Over REST, INVALID_ARGUMENT is a BadRequest and PERMISSION_DENIED a Forbidden."""
    try:
        call()
    except error as refused:
        return refused.message
    return None


def check_reports(client):
    windows = (("yesterday", "yesterday", "yesterday"), ("7daysAgo", "yesterday", "trailing_7d"))
    response = client.run_report(
        report(SHOP, ["screenPageViews", "totalUsers"], ranges=windows, return_property_quota=True)
    )
    expect("kind", response.kind, "analyticsData#runReport")
    expect("types", [h.type_ for h in response.metric_headers], [MetricType.TYPE_INTEGER] * 2)
    expect("dimension headers", [h.name for h in response.dimension_headers], ["dateRange"])
    rows = {dimensions[0]: [int(v) for v in metrics] for dimensions, metrics in values(response)}
    print("windows:", rows)
    expect("windows grow", rows["trailing_7d"][0] > rows["yesterday"][0] > rows["yesterday"][1] > 0)
    expect("zone", response.metadata.time_zone, "Europe/Berlin")
    expect("price", response.property_quota.tokens_per_day.consumed, 1)
    expect("concurrency left", response.property_quota.concurrent_requests.remaining, 10)

    by_page = client.run_report(
        report(
            SHOP,
            ["screenPageViews"],
            ["pagePath", "country"],
            ranges=(("yesterday", "yesterday", ""),),
            dimension_filter=FilterExpression(
                filter=Filter(
                    field_name="pagePath",
                    string_filter=Filter.StringFilter(
                        match_type=Filter.StringFilter.MatchType.BEGINS_WITH, value="/"
                    ),
                )
            ),
            order_bys=[OrderBy(metric=OrderBy.MetricOrderBy(metric_name="screenPageViews"), desc=True)],
            metric_aggregations=[MetricAggregation.TOTAL],
            limit=100000,
        )
    )
    counts = [int(metrics[0]) for _, metrics in values(by_page)]
    expect("rows add up to the day", sum(counts), rows["yesterday"][0])
    expect("rows are sorted", counts, sorted(counts, reverse=True))
    expect("row count", by_page.row_count, len(counts))
    expect("total", by_page.totals[0].metric_values[0].value, str(sum(counts)))

    empty = client.run_report(report(SILENT, ["screenPageViews"]))
    expect("rows without traffic", (len(empty.rows), empty.row_count, empty.kind), (0, 0, "analyticsData#runReport"))
    expect("headers without traffic", len(empty.metric_headers), 0)

    batch = client.batch_run_reports(
        BatchRunReportsRequest(
            property=SHOP,
            requests=[report(SHOP, ["sessions"]), report("", ["keyEvents", "totalRevenue", "bounceRate"])],
        )
    )
    expect("batch kind", batch.kind, "analyticsData#batchRunReports")
    expect(
        "batch types",
        [[h.type_.name for h in one.metric_headers] for one in batch.reports],
        [["TYPE_INTEGER"], ["TYPE_FLOAT", "TYPE_CURRENCY", "TYPE_FLOAT"]],
    )

    realtime = client.run_realtime_report(
        RunRealtimeReportRequest(
            property=SHOP,
            metrics=[Metric(name="screenPageViews"), Metric(name="activeUsers")],
            minute_ranges=[
                MinuteRange(name="half_hour", start_minutes_ago=29, end_minutes_ago=0),
                MinuteRange(name="five", start_minutes_ago=5, end_minutes_ago=1),
            ],
        )
    )
    expect("realtime kind", realtime.kind, "analyticsData#runRealtimeReport")
    minutes = {dimensions[0]: [int(v) for v in metrics] for dimensions, metrics in values(realtime)}
    print("realtime:", minutes)
    expect("half an hour has more", minutes["half_hour"][0] > minutes["five"][0] > 0)


def check_schema(client):
    metadata = client.get_metadata(name=f"{SHOP}/metadata")
    types = {metric.api_name: metric.type_.name for metric in metadata.metrics}
    kinds = (metadata.dimensions, metadata.metrics)
    own = [sorted(field.api_name for field in fields if field.custom_definition) for fields in kinds]
    standard = tuple(len(fields) - len(named) for fields, named in zip(kinds, own, strict=True))
    expect("standard fields", standard, (375, 86))
    expect("a custom dimension", "customEvent:plan" in own[0])
    expect("a custom metric", "customEvent:score" in own[1])
    expect("type of totalUsers", types.get("totalUsers"), "TYPE_INTEGER")
    expect("type of adUnitExposure", types.get("adUnitExposure"), "TYPE_MILLISECONDS")
    expect("pagePath is known", any(d.api_name == "pagePath" for d in metadata.dimensions))
    answer = client.check_compatibility(
        CheckCompatibilityRequest(
            property=SHOP,
            metrics=[Metric(name="sessions")],
            compatibility_filter=Compatibility.INCOMPATIBLE,
        )
    )
    names = [one.dimension_metadata.api_name for one in answer.dimension_compatibilities]
    expect("incompatible with sessions", names, ["cohort", "cohortNthDay", "cohortNthMonth", "cohortNthWeek"])


def check_refusals(client):
    message = refusal(BadRequest, lambda: client.run_report(report(SHOP, ["screenPageView"])))
    wanted = (
        "Did you mean screenPageViews? Field screenPageView is not a valid metric.  For a list of valid dimensions and "
        "metrics, see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema "
    )
    expect("unknown metric", (message or "").split("int: ", 1)[-1], wanted)
    message = refusal(Forbidden, lambda: client.run_report(report(FORBIDDEN, ["sessions"])))
    expect("no access", "sufficient permissions for this property" in (message or ""))


def check_admin(transport):
    client = AnalyticsAdminServiceClient(transport=transport)
    pager = client.list_account_summaries(ListAccountSummariesRequest(page_size=1))
    pages = [list(page.account_summaries) for page in pager.pages]
    expect("accounts per page", [len(page) for page in pages], [1, 1, 1])
    summaries = [one for page in pages for account in page for one in account.property_summaries]
    for one in summaries:
        print(f"  {one.property}  {one.display_name}")
    expect("properties", len(summaries), 8)
    expect("escaping", summaries[0].display_name, 'Café "Zoë" \\ Shop')
    prop = client.get_property(name=SHOP)
    expect("zone of the property", (prop.time_zone, prop.currency_code), ("Europe/Berlin", "EUR"))
    expect("level", prop.service_level, ServiceLevel.GOOGLE_ANALYTICS_STANDARD)


def main():
    base_url, key_file = sys.argv[1:]
    host = urlsplit(base_url).netloc
    credentials = service_account.Credentials.from_service_account_file(key_file, scopes=[SCOPE])
    credentials.refresh(Request())
    expect("access token", credentials.valid and credentials.token.startswith("ya29."))

    signed = service_account.Credentials.from_service_account_file(key_file, always_use_jwt_access=True)
    for name, one in [("access token", credentials), ("self-signed JWT", signed)]:
        print(f"--- google-analytics-data with {name}")
        client = BetaAnalyticsDataClient(
            transport=BetaAnalyticsDataRestTransport(
                host=host,
                url_scheme="http",
                credentials=one,
                always_use_jwt_access=one is signed,
            )
        )
        check_reports(client)
        check_schema(client)
        check_refusals(client)

    for name, one in [("access token", credentials), ("self-signed JWT", signed)]:
        print(f"--- google-analytics-admin with {name}")
        transport = AnalyticsAdminServiceRestTransport(
            host=host, url_scheme="http", credentials=one, always_use_jwt_access=one is signed
        )
        check_admin(transport)
    print("all as expected")


if __name__ == "__main__":
    main()
