/**
 * Completes both files `package-lock.json`, that of the project and that of `test/`: `npm run lock`, after each `npm install`. npm leaves out optional packages of other platforms, and then
 * `npm ci` refuses the lock file there. It also adds the hash to entries without an integrity hash, which npm would install unverified.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

interface Entry {
  readonly link?: boolean;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type Packages = Readonly<Record<string, object>>;

/** The paths where Node would look for `name` from the package at `path`, nearest first. */
function places(path: string, name: string): string[] {
  const found: string[] = [];
  for (let at = path; at !== ''; at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : '')
    found.push(`${at}/node_modules/${name}`);
  return [...found, `node_modules/${name}`];
}

/** Optional packages that an entry names and that have no entry. */
export function missingEntries(packages: Packages): string[] {
  return (Object.entries(packages) as [string, Entry][]).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter((name) => !places(path, name).some((place) => place in packages)),
  );
}

/** Entries without an integrity hash. */
export function unverifiedEntries(packages: Packages): string[] {
  return (Object.entries(packages) as [string, Entry][])
    .filter(([path, { link, integrity }]) => path !== '' && link !== true && integrity === undefined)
    .map(([path]) => path);
}

function complete(folder: URL): void {
  const file = new URL('package-lock.json', folder);
  const read = (): { packages: Record<string, object> } => JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, object> };
  const lock = read();
  for (const path of unverifiedEntries(lock.packages)) delete lock.packages[path];
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  // npm looks up each missing entry in the registry, for every platform, and writes the hashes.
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  const { packages } = read();
  const incomplete = [...missingEntries(packages), ...unverifiedEntries(packages)];
  if (incomplete.length > 0) throw new Error(`the registry in use does not carry ${incomplete.join(', ')}; use one that does`);
  console.log('package-lock.json: complete, with a hash for each package');
}

if (import.meta.main) {
  for (const folder of ['../', '../test/']) complete(new URL(folder, import.meta.url));
}
