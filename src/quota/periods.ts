/** Days, weeks and months in which money is counted, in a time zone. */

export const spendUnits = ['day', 'week', 'month', 'total'] as const;
export type SpendUnit = (typeof spendUnits)[number];

export interface Period {
  readonly unit: SpendUnit;
  /** Unique per unit, such as `day:2026-12-01`. */
  readonly name: string;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly until: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local time in `zone`, as a UTC timestamp. */
function wallTime(zone: string, at: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const digits = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
    formats.set(zone, (format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...digits })));
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)])) as Record<string, number>;
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The time at which it is `wall` in `zone`. Computed twice, because the offset may differ from that of the first guess. */
function atWall(zone: string, wall: number): number {
  const first = wall - (wallTime(zone, wall) - wall);
  return wall - (wallTime(zone, first) - first);
}

const dayMs = 86_400_000;
/** The end of a budget without a period. */
const never = Date.UTC(9999, 0);

function boundsOf(unit: SpendUnit, wall: number): { readonly first: number; readonly next: number; readonly name: string } {
  const date = new Date(wall);
  const today = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  const text = (at: number, length: number): string => new Date(at).toISOString().slice(0, length);
  switch (unit) {
    case 'day':
      return { first: today, next: today + dayMs, name: `day:${text(today, 10)}` };
    case 'week': {
      // ISO 8601: a week starts on Monday.
      const monday = today - ((date.getUTCDay() + 6) % 7) * dayMs;
      return { first: monday, next: monday + 7 * dayMs, name: `week:${text(monday, 10)}` };
    }
    case 'month': {
      const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
      return { first, next: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1), name: `month:${text(first, 7)}` };
    }
    case 'total':
      return { first: 0, next: never, name: 'total' };
    default:
      return unit satisfies never;
  }
}

/** The last period by unit and zone: a call usually needs the same one as the call before. */
const current = new Map<string, Period>();

export function periodOf(unit: SpendUnit, zone: string, now: number): Period {
  const key = `${unit} ${zone}`;
  const known = current.get(key);
  if (known !== undefined && now >= known.from && now < known.until) return known;
  const { first, next, name } = boundsOf(unit, wallTime(zone, now));
  const period =
    unit === 'total' ? { unit, name, from: 0, until: never } : { unit, name, from: atWall(zone, first), until: atWall(zone, next) };
  current.set(key, period);
  return period;
}
