// Draws a panel with Grafana's components; state timelines are a drawing of ours.
import {
  dateTime,
  EventBusSrv,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  VizOrientation,
} from '@grafana/data';
import { BarGauge, BigValue, PanelContextProvider, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { theme } from './frames.js';
import { Timeline } from './timeline.jsx';

const plain = (text) => text;
const context = { eventsScope: 'global', eventBus: new EventBusSrv() };

function displayValues({ options, fieldConfig }, frames) {
  return getFieldDisplayValues({
    fieldConfig,
    reduceOptions: options.reduceOptions,
    replaceVariables: plain,
    theme,
    data: frames,
    sparkline: options.graphMode === 'area',
    timeZone: 'utc',
  });
}

function Empty({ text }) {
  return (
    <div style={{ height: '100%', display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>
      {text}
    </div>
  );
}

function Stat({ panel, frames, width, height }) {
  const { colorMode, graphMode, justifyMode, textMode, text } = panel.options;
  const [value] = displayValues(panel, frames);
  return (
    <BigValue
      {...{ width, height, colorMode, graphMode, justifyMode, textMode, text, theme }}
      value={value.display}
      sparkline={value.sparkline}
    />
  );
}

function Bars({ panel, frames, width, height }) {
  const { displayMode, namePlacement, showUnfilled, valueMode } = panel.options;
  const values = displayValues(panel, frames);
  const alignmentFactors = getDisplayValueAlignmentFactors(values);
  return (
    <VizRepeater
      source={values}
      getValues={() => values}
      width={width}
      height={height}
      renderCounter={0}
      orientation={VizOrientation.Horizontal}
      itemSpacing={10}
      autoGrid={false}
      renderValue={({ value: { field, display, view, colIndex }, width: itemWidth, height: itemHeight }) => (
        <BarGauge
          {...{ theme, displayMode, namePlacement, showUnfilled }}
          width={itemWidth}
          height={Math.min(itemHeight, panel.options.maxVizHeight)}
          orientation={VizOrientation.Horizontal}
          field={field}
          value={display}
          display={view?.getFieldDisplayProcessor(colIndex)}
          itemSpacing={10}
          lcdCellWidth={12}
          text={{ titleSize: 12, valueSize: 14 }}
          valueDisplayMode={valueMode}
          alignmentFactors={alignmentFactors}
        />
      )}
    />
  );
}

function Lines({ panel, frames, width, height, range }) {
  const timeRange = {
    from: dateTime(range.from * 1000),
    to: dateTime(range.to * 1000),
    raw: { from: 'now', to: 'now' },
  };
  const { legend } = panel.options;
  return (
    <PanelContextProvider value={context}>
      <TimeSeries
        {...{ frames, timeRange, width, height, legend }}
        structureRev={1}
        timeZone="utc"
        replaceVariables={plain}
        options={panel.options}
      />
    </PanelContextProvider>
  );
}

function Rows({ panel, frames, width, height }) {
  return (
    <TableNG
      data={frames[0]}
      {...{ width, height }}
      sortBy={panel.options.sortBy}
      cellHeight={panel.options.cellHeight}
      structureRev={1}
      fieldConfig={panel.fieldConfig}
      noValue={panel.fieldConfig.defaults.noValue}
    />
  );
}

export function Content({ panel, frames, width, height, range }) {
  if (frames.length === 0 && panel.type !== 'stat' && panel.type !== 'bargauge') {
    return <Empty text={panel.fieldConfig.defaults.noValue ?? 'No data'} />;
  }
  const Kind = { timeseries: Lines, stat: Stat, bargauge: Bars, table: Rows, 'state-timeline': Timeline }[panel.type];
  return <Kind {...{ panel, frames, width, height, range }} />;
}
