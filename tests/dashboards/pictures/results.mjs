// Asks a Prometheus every query of a dashboard, as Grafana would for a time range and a width.
import { readFileSync } from 'node:fs';

// What the demo was scraped with.
const SCRAPE_SECONDS = 15;

// A chart of so many columns of the grid has so many pixels.
const pixels = (columns) => columns * 66;

function substituted(text, values) {
  return text.replace(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g, (whole, braced, plain) => values[braced ?? plain] ?? whole);
}

async function ask(prometheus, path, parameters) {
  const response = await fetch(`${prometheus}/api/v1/${path}`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
  });
  const { data, error } = await response.json();
  if (error) throw new Error(`${error}: ${parameters.query}`);
  return data.result;
}

function legend(format, labels) {
  return format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '');
}

async function resultsOf(panel, { prometheus, from, to, values }) {
  const least = panel.interval ? 30 : SCRAPE_SECONDS;
  const step = Math.max(least, Math.ceil((to - from) / pixels(panel.gridPos.w) / 15) * 15);
  const builtIn = { __rate_interval: `${Math.max(step + least, 4 * least)}s`, __interval: `${step}s` };
  return Promise.all(
    panel.targets.map(async (target) => {
      const query = substituted(target.expr, { ...values, ...builtIn });
      const result = target.instant
        ? await ask(prometheus, 'query', { query, time: to })
        : await ask(prometheus, 'query_range', { query, start: from, end: to, step });
      const series = result.map(({ metric, value, values: samples }) => ({
        labels: metric,
        name: legend(target.legendFormat, metric),
        samples: samples ?? [value],
      }));
      return { refId: target.refId, format: target.format, step, series };
    }),
  );
}

// A dashboard with its data: what the page draws.
export async function dashboardWithData(file, range) {
  const dashboard = JSON.parse(readFileSync(file, 'utf8'));
  const panels = await Promise.all(
    dashboard.panels.map(async (panel) => ({
      ...panel,
      title: substituted(panel.title, range.values),
      results: panel.type === 'row' ? [] : await resultsOf(panel, range),
    })),
  );
  return { ...dashboard, panels, range };
}
