"""Where panels stand: inside the grid, apart from each other, without holes, in the order in which one reads."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards import Dashboard

WIDTH = 24


def findings(dashboard: Dashboard) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    before = (-1, -1)
    for panel in dashboard.content["panels"]:
        title, place = panel["title"], panel["gridPos"]
        x, y, w, h = place["x"], place["y"], place["w"], place["h"]
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > WIDTH:
            yield f"{title}: is not inside the grid of {WIDTH} columns"
        if (y, x) <= before:
            yield f"{title}: comes later in the file than where it stands; the order is that of reading"
        before = (y, x)
        if x > 0 and (x - 1, y) not in taken:
            yield f"{title}: there is a hole to its left"
        if y > 0 and any((column, y - 1) not in taken for column in range(x, x + w)):
            yield f"{title}: there is a hole above it"
        for cell in ((column, line) for column in range(x, x + w) for line in range(y, y + h)):
            if cell in taken:
                yield f"{title}: overlaps {taken[cell]}"
                break
            taken[cell] = title
