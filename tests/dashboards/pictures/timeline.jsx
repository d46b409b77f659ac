// A drawing of ours in place of Grafana's state timeline, which its libraries do not have.
import { getDisplayProcessor } from '@grafana/data';
import { theme } from './frames.js';

const NAME_WIDTH = 0.36;
const AXIS_HEIGHT = 22;
const LEGEND_HEIGHT = 26;

// Stretches of equal values.
function stretches(field, times, end) {
  const found = [];
  field.values.forEach((value, index) => {
    const last = found.at(-1);
    if (last && last.value === value) last.end = times[index + 1] ?? end;
    else found.push({ value, begin: times[index], end: times[index + 1] ?? end });
  });
  return found.filter(({ value }) => value !== null);
}

function ticks(from, to) {
  const minutes = (to - from) / 60_000;
  const step = [5, 10, 15, 30, 60, 120].find((length) => minutes / length <= 8) * 60_000;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, index) => first + index * step);
}

export function Timeline({ frames, width, height, range }) {
  const rows = frames.map((frame) => ({ times: frame.fields[0].values, field: frame.fields[1] }));
  const [from, to] = [range.from * 1000, range.to * 1000];
  const left = Math.min(
    width * NAME_WIDTH,
    8 + 6.6 * Math.max(...rows.map(({ field }) => field.config.displayNameFromDS.length)),
  );
  const plot = width - left;
  const line = (height - AXIS_HEIGHT - LEGEND_HEIGHT) / rows.length;
  const x = (time) => left + ((time - from) / (to - from)) * plot;
  const text = { fill: theme.colors.text.secondary, fontSize: 12, fontFamily: theme.typography.fontFamily };
  const bottom = line * rows.length;
  const mappings = rows[0]?.field.config.mappings?.[0]?.options ?? {};
  return (
    <svg width={width} height={height}>
      {ticks(from, to - ((to - from) * 20) / plot).map((time) => (
        <g key={time}>
          <line x1={x(time)} x2={x(time)} y1={0} y2={bottom} stroke={theme.colors.border.weak} />
          <text {...text} x={x(time)} y={bottom + 15} textAnchor="middle">
            {new Date(time).toISOString().slice(11, 16)}
          </text>
        </g>
      ))}
      {rows.map(({ field, times }, index) => {
        const display = getDisplayProcessor({ field, theme });
        const y = index * line + line * 0.1;
        return (
          <g key={field.config.displayNameFromDS}>
            <text {...text} x={left - 8} y={y + line * 0.4 + 4} textAnchor="end">
              {field.config.displayNameFromDS}
            </text>
            {stretches(field, times, to).map(({ value, begin, end }) => {
              const shown = display(value);
              const long = x(end) - x(begin) > shown.text.length * 8;
              return (
                <g key={begin}>
                  <rect
                    x={x(begin)}
                    y={y}
                    width={Math.max(1, x(end) - x(begin))}
                    height={line * 0.8}
                    fill={shown.color}
                    fillOpacity={0.8}
                  />
                  {long && (
                    <text
                      {...text}
                      fill={theme.colors.getContrastText(shown.color)}
                      x={x(begin) + 6}
                      y={y + line * 0.4 + 4}
                    >
                      {shown.text}
                    </text>
                  )}
                </g>
              );
            })}
          </g>
        );
      })}
      {Object.values(mappings).map(({ text: name, color }, index) => (
        <g key={name} transform={`translate(${8 + index * 120}, ${height - 8})`}>
          <rect y={-6} width={14} height={4} rx={2} fill={color} />
          <text {...text} x={20}>
            {name}
          </text>
        </g>
      ))}
    </svg>
  );
}
