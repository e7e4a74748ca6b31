/** The CPU time of this process. Unlike the clock, it does not depend on the load of the machine. */

/** Milliseconds of CPU time that this process has used. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
