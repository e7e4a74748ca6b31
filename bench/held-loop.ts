/** How long the event loop was held at most, in processor time of its thread: other load on the machine does not count. */

export interface HeldLoop {
  /** Milliseconds since the last call. */
  most(): number;
  stop(): void;
}

const spent = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

export function watchLoop(): HeldLoop {
  let last = spent();
  let most = 0;
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
    stop: () => clearInterval(timer),
  };
}
