/** Progress of countable work, on a terminal alone: what is piped or logged stays free of it. */

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  /** `total`: null while unknown. */
  show(done: number, total: number | null): void;
  /** Removes the line. */
  end(): void;
}

const barWidth = 24;
/** A terminal cannot show more. */
const everyMs = 50;

/** `unit`: what is counted, e.g. `steps`. Colours follow https://no-color.org. */
export function createProgress(
  label: string,
  unit: string,
  stream: ProgressStream = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Progress {
  if (stream.isTTY !== true || env['TERM'] === 'dumb') return { show() {}, end() {} };
  const isColoured = (env['NO_COLOR'] ?? '') === '';
  let shownAt = -Infinity;
  let isShown = false;
  return {
    show(done, total) {
      const isLast = total !== null && done >= total;
      if (!isLast && performance.now() - shownAt < everyMs) return;
      shownAt = performance.now();
      isShown = true;
      const full = total === null || total === 0 ? 0 : Math.min(barWidth, Math.floor((done / total) * barWidth));
      const filled = '█'.repeat(full);
      const bar = total === null ? '' : `${isColoured ? `\x1b[32m${filled}\x1b[0m` : filled}${'░'.repeat(barWidth - full)} `;
      const count = total === null ? `${done} ${unit}` : `${done} of ${total} ${unit}`;
      stream.write(`\r\x1b[K${label} ${bar}${count}`);
    },
    end() {
      if (isShown) stream.write('\r\x1b[K');
    },
  };
}
