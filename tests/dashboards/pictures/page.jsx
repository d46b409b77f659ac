// A page that shows a dashboard much as Grafana does: its grid, its frames of panels, its variables as they are chosen.
import { initPluginTranslations } from '@grafana/i18n';
import { ThemeContext } from '@grafana/data';
import { GlobalStyles, Icon, PanelChrome } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { framesOf, theme } from './frames.js';
import { Content } from './panels.jsx';

const WIDTH = 1600;
const MARGIN = 16;
const GAP = 8;
const COLUMN = (WIDTH - 2 * MARGIN + GAP) / 24;
const LINE = 38;

function place({ x, y, w, h }) {
  return { position: 'absolute', left: x * COLUMN, top: y * LINE, width: w * COLUMN - GAP, height: h * LINE - GAP };
}

function Panel({ panel, frames, range }) {
  const { width, height } = place(panel.gridPos);
  const links = panel.links ? (
    <Icon name="external-link-alt" size="sm" style={{ margin: '8px 4px', color: theme.colors.text.secondary }} />
  ) : null;
  return (
    <div style={place(panel.gridPos)}>
      <PanelChrome
        title={panel.title}
        description={panel.description}
        titleItems={links}
        width={width}
        height={height}
        padding={panel.type === 'table' ? 'none' : 'md'}
      >
        {(innerWidth, innerHeight) => (
          <Content {...{ panel, frames, range }} width={innerWidth} height={innerHeight} />
        )}
      </PanelChrome>
    </div>
  );
}

function Heading({ panel }) {
  return (
    <div
      style={{
        ...place(panel.gridPos),
        display: 'flex',
        alignItems: 'center',
        gap: 8,
        fontWeight: 500,
        fontSize: 16,
      }}
    >
      <Icon name="angle-down" />
      {panel.title}
    </div>
  );
}

function Top({ dashboard }) {
  const shown = dashboard.templating.list.filter(({ hide }) => hide === 0);
  const box = { border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2, padding: '5px 10px' };
  const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const { from, to, texts } = dashboard.range;
  return (
    <header style={{ marginBottom: 14 }}>
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', marginBottom: 10 }}>
        <h1 style={{ fontSize: 20, margin: 0 }}>{dashboard.title}</h1>
        <span style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
          {dashboard.links.map(({ title }) => (
            <span key={title} style={box}>
              {title}
            </span>
          ))}
          <span style={box}>
            {clock(from)} to {clock(to)} UTC
          </span>
        </span>
      </div>
      <div style={{ display: 'flex', gap: 12 }}>
        {shown.map(({ name, label }) => (
          <span key={name} style={{ display: 'flex' }}>
            <span style={{ ...box, background: theme.colors.background.secondary, borderRight: 0 }}>{label}</span>
            <span style={box}>{texts[name]}</span>
          </span>
        ))}
      </div>
    </header>
  );
}

function Page({ dashboard, frames }) {
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles isExtensionSidebarOpen={false} />
      <main
        style={{
          width: WIDTH,
          boxSizing: 'border-box',
          padding: MARGIN,
          background: theme.colors.background.canvas,
          color: theme.colors.text.primary,
        }}
      >
        <Top dashboard={dashboard} />
        <div style={{ position: 'relative', height: bottom * LINE }}>
          {dashboard.panels.map((panel, index) =>
            panel.type === 'row' ? (
              <Heading key={panel.id} panel={panel} />
            ) : (
              <Panel key={panel.id} panel={panel} frames={frames[index]} range={dashboard.range} />
            ),
          )}
        </div>
        <footer style={{ color: theme.colors.text.secondary, fontSize: 12 }}>
          Drawn by a page of this project with Grafana's libraries, not by Grafana; state timelines are its own
          drawing. Data: the demo.
        </footer>
      </main>
    </ThemeContext.Provider>
  );
}

async function show() {
  await initPluginTranslations('grafana');
  const dashboard = window.dashboard;
  const frames = await Promise.all(dashboard.panels.map((panel) => (panel.type === 'row' ? [] : framesOf(panel))));
  createRoot(document.getElementById('page')).render(<Page {...{ dashboard, frames }} />);
  await document.fonts.ready;
  // Charts are drawn when the browser has time for them.
  requestIdleCallback(() => setTimeout(() => document.body.setAttribute('data-drawn', ''), 1500));
}

show();
