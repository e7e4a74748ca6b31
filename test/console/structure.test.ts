/** The structure of the console: layers, sizes, and what no file may do. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCycle, findImports, listFiles, projectRoot, type SourceFile } from '../architecture/source-tree.ts';

/** From top to bottom; a file imports its own layer or one below. */
const layers = ['app', 'pages', 'components', 'api', 'i18n'];

const sources: SourceFile[] = listFiles('console/src')
  .filter((path) => /\.(ts|tsx|css)$/.test(path))
  .map((path) => {
    const text = readFileSync(join(projectRoot, path), 'utf8');
    return { path, text, lines: text.split('\n').length - 1, imports: findImports(path, text) };
  });
const layerOf = (path: string): string => path.split('/')[2] ?? '';
const pageOf = (path: string): string => path.split('/')[3] ?? '';
const edges = sources.flatMap(({ path, imports }) => imports.map(({ specifier, target }) => ({ path, specifier, target })));

describe('the console', () => {
  it('is read whole', () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(edges.length).toBeGreaterThan(100);
  });

  it('imports downward only: app, pages, components, api, i18n', () => {
    const upward = edges.filter(({ path, target }) => {
      if (target === null || path === 'console/src/main.tsx') return false;
      return layers.indexOf(layerOf(target)) < layers.indexOf(layerOf(path));
    });
    expect(upward, 'A component knows no page, and the API client knows no component. Move the shared part down.').toEqual([]);
  });

  it('lets no page import another page', () => {
    const across = edges.filter(
      ({ path, target }) => layerOf(path) === 'pages' && target !== null && layerOf(target) === 'pages' && pageOf(path) !== pageOf(target),
    );
    expect(across, 'What two pages need is a component.').toEqual([]);
  });

  it('has no import cycle', () => {
    expect(findCycle(sources)).toBeNull();
  });

  it('keeps files under 300 lines', () => {
    expect(sources.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  it('says in the first line of a file what it is for, except the tables of texts', () => {
    const silent = sources.filter(
      ({ path, text }) => !/^\/[*]/.test(text) && posix.basename(path) !== 'texts.ts' && posix.basename(path) !== 'error-texts.ts',
    );
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('never writes HTML from a text, and stores nothing but view settings', () => {
    const forbidden =
      /dangerouslySetInnerHTML|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|sessionStorage|indexedDB|document\.cookie|\beval\(/;
    expect(sources.filter(({ text }) => forbidden.test(text)).map(({ path }) => path)).toEqual([]);
    const storing = sources.filter(({ text }) => text.includes('localStorage')).map(({ path }) => path);
    expect(storing).toEqual(['console/src/i18n/view-settings.ts']);
  });

  it('hides icons from screen readers, whose name for a button is its text', () => {
    const spoken = sources.filter(({ text }) => /<[A-Z][A-Za-z]*Outlined(?![^>]*aria-)[^>]*>/.test(text));
    expect(
      spoken.map(({ path }) => path),
      'Write <PlusOutlined aria-hidden />, or give it an aria-label.',
    ).toEqual([]);
  });

  it('asks no other host', () => {
    const outside = sources.filter(({ path, text }) => /(?:fetch|src|href)=?\(?["'{`]+https?:/.test(text) && !path.endsWith('.css'));
    expect(outside.map(({ path }) => path)).toEqual([]);
  });
});
