/** Lets an operator's plugin file import `zod` and `pailou/plugin` from any folder, without an install beside it. */
import { registerHooks } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const provided: Readonly<Record<string, string>> = {
  zod: import.meta.resolve('zod'),
  'pailou/plugin': new URL('./authoring.ts', import.meta.url).href,
};

const folders = new Set<string>();
let hooked = false;

/** Enables these imports for files below `folder`. */
export function provideImportsTo(folder: string): void {
  folders.add(folder.endsWith(sep) ? folder : folder + sep);
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const url = Object.hasOwn(provided, specifier) ? provided[specifier] : undefined;
      if (url === undefined || context.parentURL === undefined || !isOperators(context.parentURL)) return next(specifier, context);
      return { url, shortCircuit: true };
    },
  });
}

function isOperators(parentUrl: string): boolean {
  if (!parentUrl.startsWith('file:')) return false;
  const path = fileURLToPath(parentUrl.split('?', 1)[0] ?? parentUrl);
  return [...folders].some((folder) => path.startsWith(folder));
}

/** A plugin file as an address to import. */
export function importAddress(path: string): string {
  return pathToFileURL(path).href;
}
