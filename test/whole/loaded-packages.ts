/**
 * Runs in a gateway by `--import`: writes the packages and files of all loaded modules, and Node's own modules, to the file
 * `LOADED_PACKAGES` when the process ends.
 */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const packages = new Set<string>();

registerHooks({
  load(url, context, next) {
    const [, file, name] = /.*\/node_modules\/(((?:@[^/]+\/)?[^/]+)\/.*)/.exec(url) ?? [];
    if (file !== undefined && name !== undefined) packages.add(name).add(file);
    return next(url, context);
  },
});

const path = process.env['LOADED_PACKAGES'];
if (path !== undefined && isMainThread)
  process.once('exit', () => {
    // Node names its modules here, which is not in its types.
    const loaded = (process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList;
    const own = loaded.flatMap((each) => /^NativeModule (.*)$/.exec(each)?.[1] ?? []).map((name) => `node:${name}`);
    writeFileSync(path, [...packages, ...own].join('\n'));
  });
