// Opens pages of the exporter in a real Chromium and says what is wrong with them: accessibility by axe-core, texts that do not
// fit the width, requests to other places, errors, and what the keyboard does not reach.
//
// Usage: node page.mjs NODE_MODULES SCREENSHOTS URL NAME [URL NAME …]. Exit code 1 when something is wrong.

import { appendFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [nodeModules, screenshots, ...pages] = process.argv.slice(2);
const require = createRequire(resolve(nodeModules, "package.json"));
const { chromium } = require("playwright-core");
const axe = require("axe-core");

const WIDTHS = [320, 1280];
const SCHEMES = ["light", "dark"];

const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

/** What axe-core finds, a line for each rule that is broken. */
async function accessibility(page) {
  // Run by the debugger, so that the page's own policy need not allow scripts.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `axe ${id}: ${help}: ${nodes[0].html.slice(0, 200)} (${nodes.length} times)`);
}

/** The first elements that the tabulator key reaches. */
async function reachedByKeyboard(page, times) {
  const reached = [];
  for (let time = 0; time < times; time += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement.name || document.activeElement.textContent.trim()));
  }
  return reached;
}

async function check(browser, url, name, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`script: ${error}`));
  page.on("dialog", (dialog) => wrong.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) wrong.push(`asks elsewhere: ${request.url()}`);
  });
  const response = await page.goto(url, { waitUntil: "load" });
  if (response.status() !== 200) wrong.push(`status ${response.status()}`);
  const timing = await page.evaluate(() => performance.getEntriesByType("navigation")[0].toJSON());
  await page.screenshot({ path: join(screenshots, `${name}-${width}-${colorScheme}.png`) });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wider > 0) wrong.push(`${wider} pixels wider than the window`);
  const scripts = await page.evaluate(() => document.querySelectorAll("script, img, iframe, link").length);
  if (scripts > 0) wrong.push(`${scripts} elements that load something`);
  wrong.push(...(await accessibility(page)));
  if (new URL(url).pathname === "/") {
    const reached = await reachedByKeyboard(page, 10);
    for (const expected of ["Skip to the content", "Metrics", "q", "sort", "Show"]) {
      if (!reached.includes(expected)) wrong.push(`the keyboard does not reach ${expected}: ${reached.join(", ")}`);
    }
  }
  await context.close();
  const took = `${name} ${width} ${colorScheme}: loaded after ${Math.round(timing.loadEventEnd)} ms, ${timing.decodedBodySize} bytes`;
  console.log(took);
  // For whoever wants to know: no test asserts a time.
  appendFileSync(join(screenshots, "timings.txt"), `${took}\n`);
  return wrong;
}

mkdirSync(screenshots, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS });
let failed = false;
for (let index = 0; index < pages.length; index += 2) {
  for (const width of WIDTHS) {
    for (const scheme of SCHEMES) {
      const wrong = await check(browser, pages[index], pages[index + 1], width, scheme);
      for (const what of new Set(wrong)) console.error(`${pages[index + 1]} ${width} ${scheme}: ${what}`);
      failed ||= wrong.length > 0;
    }
  }
}
await browser.close();
process.exitCode = failed ? 1 : 0;
