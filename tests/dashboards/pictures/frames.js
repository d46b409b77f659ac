// Makes Grafana's data frames of Prometheus' answers, and lets Grafana's own code transform and configure them.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  FieldType,
  identityOverrideProcessor,
  numberOverrideProcessor,
  Registry,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  toDataFrame,
  transformDataFrame,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

export const theme = createTheme({ colors: { mode: 'dark' } });

const PROCESSORS = {
  unit: unitOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  noValue: stringOverrideProcessor,
  color: identityOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  links: dataLinksOverrideProcessor,
};

function property(id, process, isCustom) {
  const path = isCustom ? id.slice('custom.'.length) : id;
  return {
    id,
    path,
    name: id,
    isCustom,
    process,
    shouldApply: () => true,
    editor: () => null,
    override: () => null,
    settings: {},
  };
}

const standard = Object.entries(PROCESSORS).map(([id, process]) => property(id, process, false));
standardFieldConfigEditorRegistry.setInit(() => standard);
standardTransformersRegistry.setInit(() =>
  ['merge', 'organize'].map((id) => {
    const transformer = Object.values(standardTransformers).find((one) => one.id === id);
    return { id, name: id, transformation: () => Promise.resolve(transformer), editor: () => null };
  }),
);

// What a panel may configure: what every kind has, and the fields of its own that its JSON names.
function registryOf({ defaults, overrides }) {
  const ids = new Set(Object.keys(defaults.custom ?? {}).map((key) => `custom.${key}`));
  for (const { properties } of overrides) {
    for (const { id } of properties) if (id.startsWith('custom.')) ids.add(id);
  }
  return new Registry(() => [...standard, ...[...ids].map((id) => property(id, identityOverrideProcessor, true))]);
}

function seriesFrame({ refId, step }, { labels, name, samples }) {
  // A gap in the samples is a gap in the line.
  const times = [];
  const values = [];
  for (const [time, value] of samples) {
    const last = times.at(-1);
    if (last !== undefined && time * 1000 - last > step * 1000) {
      times.push(last + step * 1000);
      values.push(null);
    }
    times.push(time * 1000);
    values.push(Number.isFinite(Number(value)) ? Number(value) : null);
  }
  return toDataFrame({
    refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: times },
      { name: 'Value', type: FieldType.number, values, labels, config: { displayNameFromDS: name } },
    ],
  });
}

function tableFrame({ refId, series }, several) {
  const labels = [...new Set(series.flatMap(({ labels: own }) => Object.keys(own)))].sort();
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: series.map(({ samples }) => samples[0][0] * 1000) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        values: series.map(({ labels: own }) => own[name] ?? ''),
      })),
      {
        name: several ? `Value #${refId}` : 'Value',
        type: FieldType.number,
        values: series.map(({ samples }) => Number(samples[0][1])),
      },
    ],
  });
}

export async function framesOf({ results, transformations, fieldConfig }) {
  const raw = results.flatMap((result) =>
    result.format === 'table'
      ? result.series.length > 0
        ? [tableFrame(result, results.length > 1)]
        : []
      : result.series.map((series) => seriesFrame(result, series)),
  );
  const frames = transformations ? await lastValueFrom(transformDataFrame(transformations, raw)) : raw;
  const configured = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: registryOf(fieldConfig),
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
  // Tables take their headings from there.
  cacheFieldDisplayNames(configured);
  return configured;
}
