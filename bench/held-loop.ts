/** How long the event loop was held at most, in processor time of its thread: other load on the machine does not count. Its delay counts all. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface HeldLoop {
  /** Milliseconds since the last call. */
  most(): number;
  /** The longest delay of a timer in milliseconds since the last call. It includes the wait for a processor. */
  delayed(): number;
  stop(): void;
}

const spent = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

export function watchLoop(): HeldLoop {
  let last = spent();
  let most = 0;
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const timer = setInterval(() => {
    const now = spent();
    most = Math.max(most, now - last);
    last = now;
  }, 1);
  return {
    most() {
      const result = most;
      most = 0;
      return result;
    },
    delayed() {
      const result = delays.max / 1_000_000;
      delays.reset();
      return result;
    },
    stop() {
      clearInterval(timer);
      delays.disable();
    },
  };
}
