/**
 * Adds to `package-lock.json` the optional packages of platforms that the registry in use does not carry: `npm run lock`, after each `npm install`.
 * npm leaves them out, and then `npm ci` refuses the lock file on every machine, because they are missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lock {
  packages: Record<string, object>;
}

/** Where Node would look for `name` from the package at `path`, nearest first. */
function places(path: string, name: string): string[] {
  const found: string[] = [];
  for (let at = path; at !== ''; at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '')
    found.push(`${at}/node_modules/${name}`);
  return [...found, `node_modules/${name}`];
}

/** `…-linux-arm64-musl` names its platform; npm fetches only those of its own. */
function platformOf(name: string): object {
  const [, os, rest] = /(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(.+)$/.exec(name) ?? [];
  if (os === undefined || rest === undefined) return {};
  const cpu = rest.startsWith('arm64') ? 'arm64' : rest.startsWith('arm') ? 'arm' : rest.split('-')[0];
  const libc = os !== 'linux' ? {} : rest.includes('musl') ? { libc: ['musl'] } : rest.includes('gnu') ? { libc: ['glibc'] } : {};
  return { os: [os], cpu: [cpu], ...libc };
}

/** The entries that are missing, by their key in the lock file. */
export function missingEntries(packages: Readonly<Record<string, object>>): Record<string, object> {
  const missing: Record<string, object> = {};
  for (const [path, entry] of Object.entries(packages) as [string, Entry][]) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (places(path, name).some((place) => place in packages)) continue;
      missing[`node_modules/${name}`] = { version, optional: true, ...(entry.dev === true ? { dev: true } : {}), ...platformOf(name) };
    }
  }
  return missing;
}

if (import.meta.main) {
  const file = new URL('../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock;
  const missing = missingEntries(lock.packages);
  lock.packages = Object.fromEntries(
    Object.entries({ ...lock.packages, ...missing }).sort(([one], [other]) => one.localeCompare(other, 'en')),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(missing).length} optional packages of other platforms added`);
}
