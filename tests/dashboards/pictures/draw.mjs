// Draws pictures of the dashboards with the data of a Prometheus.
//
//     node draw.mjs DIRECTORY-WITH-NODE_MODULES PROMETHEUS-URL PICTURES.json OUTPUT-DIRECTORY
//
// CHROMIUM names the browser. PICTURES.json says which dashboard, for which time, with which values of variables and the
// texts that are shown for them.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [modules, prometheus, list, output] = [
  resolve(process.argv[2]),
  process.argv[3],
  process.argv[4],
  resolve(process.argv[5]),
];
const require = createRequire(join(modules, 'package.json'));
const { chromium } = require('playwright-core');
const sharp = require('sharp');
const { bundle } = await import('./bundle.mjs');
const { dashboardWithData } = await import('./results.mjs');

const HTML =
  '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/css"><div id="page"></div><script src="/js"></script>';
const TYPES = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };

const scripts = await bundle(here, modules);
const server = createServer((request, response) => {
  const path = new URL(request.url, 'http://page').pathname;
  const image = /\/img\/(.+\.svg)$/.exec(path);
  const send = (type, body) => response.writeHead(200, { 'Content-Type': type }).end(body);
  if (path === '/') send('text/html', HTML);
  else if (scripts[path.slice(1)] !== undefined) send(TYPES[path.slice(1)], scripts[path.slice(1)]);
  else if (image) {
    try {
      send(TYPES.svg, readFileSync(join(modules, 'node_modules/@grafana/ui/dist/public/img', image[1])));
    } catch {
      response.writeHead(404).end();
    }
  } else response.writeHead(404).end();
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
for (const { dashboard, name, ...range } of JSON.parse(readFileSync(list, 'utf8'))) {
  const content = await dashboardWithData(join(here, '../../../dashboards', `${dashboard}.json`), {
    prometheus,
    ...range,
  });
  // As high as the dashboard: what is out of sight is not painted.
  const lines = Math.max(...content.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const page = await browser.newPage({ viewport: { width: 1600, height: 38 * lines + 200 } });
  page.on('pageerror', (error) => {
    console.error(`${name}: ${error.stack}`);
    process.exitCode = 1;
  });
  await page.addInitScript(
    `window.dashboard = ${JSON.stringify(content)}; window.grafanaBootData = { settings: {}, user: {} };`,
  );
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForSelector('body[data-drawn]', { timeout: 60_000 });
  const file = join(output, `${name}.png`);
  const picture = await page.locator('main').screenshot();
  // 256 colours are enough for lines and text, and take a third of the bytes.
  await sharp(picture).png({ palette: true, effort: 10 }).toFile(file);
  console.log(file);
  await page.close();
}
await browser.close();
server.close();
