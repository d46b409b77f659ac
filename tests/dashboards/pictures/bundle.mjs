// Makes one script of the page and of Grafana's libraries.
import { createRequire } from 'node:module';
import { join } from 'node:path';

// Grafana's libraries come as two builds; this takes the CommonJS one of each, since the two must not be mixed.
function commonJs(modules) {
  const require = createRequire(join(modules, 'package.json'));
  return {
    name: 'commonjs',
    setup({ onResolve }) {
      onResolve({ filter: /^@grafana\/(ui|data|runtime|schema|i18n|e2e-selectors)(\/|$)/ }, ({ path }) => ({
        path: require.resolve(path),
      }));
    },
  };
}

export async function bundle(directory, modules) {
  const { build } = createRequire(join(modules, 'package.json'))('esbuild');
  const { outputFiles } = await build({
    entryPoints: [join(directory, 'page.jsx')],
    bundle: true,
    write: false,
    outdir: modules,
    nodePaths: [join(modules, 'node_modules')],
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.ttf': 'dataurl', '.woff2': 'dataurl', '.svg': 'dataurl', '.png': 'dataurl' },
    plugins: [commonJs(modules)],
    logLevel: 'error',
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [path.endsWith('.css') ? 'css' : 'js', text]));
}
