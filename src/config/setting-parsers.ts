/** Settings with a form of their own. Each parser returns undefined for any other text. */
import type { SystemUser } from '../types/stdio-programs.ts';

export function parseClaims(text: string): Readonly<Record<string, readonly string[]>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const fields = ['subject', 'username', 'tenant', 'roles', 'permissions', 'client'];
    const good = Object.entries(parsed).every(
      ([field, paths]) => fields.includes(field) && Array.isArray(paths) && paths.every((path) => typeof path === 'string' && path !== ''),
    );
    return good ? (parsed as Record<string, readonly string[]>) : undefined;
  } catch {
    return undefined;
  }
}

/** `on`, `off`, or a percentage. */
export function shareOfCalls(text: string): number | undefined {
  if (text === 'on' || text === 'off') return text === 'on' ? 1 : 0;
  const [, percent] = /^(\d{1,2}(?:\.\d{1,3})?|100)%$/.exec(text) ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

export function systemUser(text: string): SystemUser | undefined {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(text) ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

export function parseRanges(text: string): readonly string[] | undefined {
  const ranges = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return ranges.every((range) => /^[0-9a-fA-F.:]+\/\d{1,3}$/.test(range)) ? ranges : undefined;
}

/** Origins as browsers send them: without a path. */
export function parseOrigins(text: string): readonly string[] | undefined {
  const origins = text
    .split(',')
    .map((part) => part.trim().replace(/\/$/, ''))
    .filter((part) => part !== '');
  if (origins.length === 1 && origins[0] === '*') return origins;
  return origins.every((origin) => URL.parse(origin)?.origin === origin || /^[a-z][a-z0-9+.-]*:\/\/[^/]+$/.test(origin))
    ? origins
    : undefined;
}
