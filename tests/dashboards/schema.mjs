// Checks dashboards against the types that Grafana publishes in @grafana/schema: the dashboard as a whole, and each panel's
// options and field configuration against those of its kind. Says what is wrong, a line each.
//
//     node schema.mjs DIRECTORY-WITH-NODE_MODULES DASHBOARD.json...
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';

const [directory, ...files] = process.argv.slice(2);
const modules = resolve(directory);
const require = createRequire(join(modules, 'package.json'));
const Ajv = require('ajv').default;
const { createGenerator } = require('ts-json-schema-generator');
const types = join(modules, 'node_modules/@grafana/schema/dist/types/raw');

// Where the types of each kind of panel are; timeseries, table and state-timeline have some for fields too.
const PANELS = {
  timeseries: { directory: 'timeseries', field: true },
  stat: { directory: 'stat', field: false },
  bargauge: { directory: 'bargauge', field: false },
  table: { directory: 'table', field: true },
  'state-timeline': { directory: 'statetimeline', field: true },
};

const validators = new Map();

function validator(path, type) {
  const key = `${path} ${type}`;
  if (!validators.has(key)) {
    const schema = createGenerator({
      path: join(types, path),
      type,
      skipTypeCheck: true,
      additionalProperties: false,
    }).createSchema(type);
    validators.set(key, new Ajv({ allErrors: true, strict: false, allowUnionTypes: true }).compile(schema));
  }
  return validators.get(key);
}

// What an alternative of a union lacks says nothing once another fits, and little when none does.
function mistakes(path, type, value) {
  const validate = validator(path, type);
  if (validate(value)) return [];
  return validate.errors.map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}

// `custom.lineWidth` of an override is what `custom: {lineWidth}` is of the defaults.
function customOf(properties) {
  const custom = properties
    .filter(({ id }) => id.startsWith('custom.'))
    .map(({ id, value }) => [id.slice('custom.'.length), value]);
  return Object.fromEntries(custom);
}

function mistakesOfPanel(panel) {
  const kind = PANELS[panel.type];
  if (!kind) return [`no types are known for ${panel.type}`];
  const path = `composable/${kind.directory}/panelcfg/x/types.gen.d.ts`;
  const found = mistakes(path, 'Options', panel.options).map((text) => `options${text}`);
  const { defaults, overrides } = panel.fieldConfig;
  if (!kind.field) {
    if (Object.keys(defaults.custom).length > 0) found.push('fieldConfig: this kind of panel has no custom fields');
    return found;
  }
  found.push(...mistakes(path, 'FieldConfig', defaults.custom).map((text) => `custom${text}`));
  for (const { matcher, properties } of overrides) {
    const whole = { ...defaults.custom, ...customOf(properties) };
    found.push(...mistakes(path, 'FieldConfig', whole).map((text) => `override of ${matcher.options}${text}`));
    // What an override sets beside `custom` are fields of the defaults' own type.
    const plain = Object.fromEntries(
      properties.filter(({ id }) => !id.startsWith('custom.')).map(({ id, value }) => [id, value]),
    );
    found.push(
      ...mistakes('dashboard/x/types.gen.d.ts', 'FieldConfig', plain).map(
        (text) => `override of ${matcher.options}${text}`,
      ),
    );
  }
  return found;
}

let wrong = 0;
for (const file of files) {
  const dashboard = JSON.parse(readFileSync(file, 'utf8'));
  const found = mistakes('dashboard/x/types.gen.d.ts', 'Dashboard', dashboard);
  for (const panel of dashboard.panels.filter(({ type }) => type !== 'row')) {
    found.push(...mistakesOfPanel(panel).map((text) => `${panel.title}: ${text}`));
  }
  for (const text of found) console.log(`${basename(file)}: ${text}`);
  wrong += found.length;
}
if (wrong === 0) console.log(`${files.length} dashboards are as @grafana/schema describes them`);
process.exitCode = wrong === 0 && files.length > 0 ? 0 : 1;
