import { describe, expect, it } from 'vitest';
import { Circuit, type CircuitRules, type CircuitState, type CircuitTurn } from '../../src/dispatch/circuit.ts';

const rules: CircuitRules = { failures: 3, rate: 0.5, minimum: 10, window_ms: 1_000, open_ms: 500 };

function make() {
  const turns: CircuitState[] = [];
  const circuit = new Circuit(({ state }) => turns.push(state));
  const call = (failed: boolean | null, now: number): void => circuit.leave(failed, circuit.enter(), rules, now);
  return { circuit, turns, call };
}

describe('a circuit', () => {
  it('opens after failures in a row, lets one probe in after its pause, and closes when that succeeds', () => {
    const { circuit, turns, call } = make();
    call(true, 0);
    call(true, 0);
    call(false, 0);
    call(true, 0);
    call(true, 0);
    expect(circuit.state).toBe('closed');
    call(true, 100);
    expect(circuit.state).toBe('open');
    expect(circuit.closedFor(rules, 100)).toBe(500);
    expect(circuit.closedFor(rules, 599)).toBe(1);
    expect(circuit.closedFor(rules, 600)).toBe(0);
    expect(circuit.enter()).toBe(true);
    expect(circuit.closedFor(rules, 600), 'one probe at a time').toBeGreaterThan(0);
    circuit.leave(false, true, rules, 650);
    expect(circuit.state).toBe('closed');
    expect(turns).toEqual(['open', 'half-open', 'closed']);
  });

  it('stays open for another pause when the probe fails, and admits another probe after an inconclusive one', () => {
    const { circuit, call } = make();
    for (let failure = 0; failure < 3; failure++) call(true, 0);
    expect(circuit.enter()).toBe(true);
    circuit.leave(true, true, rules, 700);
    expect(circuit.state).toBe('open');
    expect(circuit.closedFor(rules, 1_100)).toBe(100);
    expect(circuit.enter()).toBe(true);
    circuit.leave(null, true, rules, 1_300);
    expect(circuit.state).toBe('half-open');
    expect(circuit.closedFor(rules, 1_300)).toBe(0);
  });

  it('opens by the share of failures too, but only from enough calls on, and forgets old ones', () => {
    const { circuit, call } = make();
    for (let number = 0; number < 8; number++) call(number % 2 === 0, 0);
    expect(circuit.state, 'too few calls to tell').toBe('closed');
    call(false, 10);
    call(true, 10);
    expect(circuit.state).toBe('open');

    const other = make();
    for (let number = 0; number < 9; number++) other.call(number % 2 === 0, 0);
    for (let number = 0; number < 9; number++) other.call(false, 5_000);
    other.call(true, 5_000);
    expect(other.circuit.state).toBe('closed');
  });

  it('ignores calls that began before it opened, or that the caller ended', () => {
    const { circuit, call } = make();
    const early = circuit.enter();
    for (let failure = 0; failure < 3; failure++) call(true, 0);
    circuit.leave(false, early, rules, 10);
    expect(circuit.state).toBe('open');
    const calm = make();
    for (let number = 0; number < 50; number++) calm.call(null, 0);
    expect(calm.circuit.state).toBe('closed');
  });

  it('is opened by consecutive failed probes without a successful call between them', () => {
    const { circuit, call } = make();
    circuit.countProbe(true, 3, 0);
    circuit.countProbe(true, 3, 0);
    call(false, 0);
    circuit.countProbe(true, 3, 0);
    circuit.countProbe(true, 3, 0);
    circuit.countProbe(false, 3, 0);
    circuit.countProbe(true, 3, 0);
    circuit.countProbe(null, 3, 0);
    circuit.countProbe(true, 3, 0);
    expect(circuit.state).toBe('closed');
    circuit.countProbe(true, 3, 0);
    expect(circuit.state).toBe('open');
  });

  it('is closed by a probe if probes opened it, and no call runs beside that probe', () => {
    const { circuit, turns } = make();
    circuit.countProbe(true, 1, 0);
    expect(circuit.startProbe()).toEqual({ trial: true });
    expect(circuit.closedFor(rules, 10_000), 'a probe tries').toBeGreaterThan(0);
    expect(circuit.startProbe(), 'one at a time').toBeNull();
    circuit.endProbe(true, true, 1, 400);
    expect(circuit.closedFor(rules, 400), 'its pause is no longer for that').toBe(100);
    expect(circuit.startProbe()).toEqual({ trial: true });
    circuit.endProbe(false, true, 1, 450);
    expect(turns).toEqual(['open', 'closed']);
  });

  it('is only observed by a probe if calls opened it, or if calls failed as well', () => {
    const { circuit, call } = make();
    for (let failure = 0; failure < 3; failure++) call(true, 0);
    expect(circuit.startProbe()).toEqual({ trial: false });
    expect(circuit.closedFor(rules, 600), 'no call waits for that').toBe(0);
    circuit.endProbe(false, false, 1, 100);
    expect(circuit.state).toBe('open');
    const other = make();
    other.circuit.countProbe(true, 1, 0);
    expect(other.circuit.enter()).toBe(true);
    expect(other.circuit.startProbe(), 'a call tries').toBeNull();
    other.circuit.leave(true, true, rules, 600);
    expect(other.circuit.startProbe()).toEqual({ trial: false });
  });

  it('reports each change with the former state and what caused it', () => {
    const turns: CircuitTurn[] = [];
    const circuit = new Circuit((turn) => turns.push(turn));
    circuit.countProbe(true, 1, 0);
    circuit.leave(true, circuit.enter(), rules, 600);
    circuit.leave(false, circuit.enter(), rules, 1_200);
    expect(turns).toEqual([
      { state: 'open', before: 'closed', by: 'probes' },
      { state: 'half-open', before: 'open', by: 'probes' },
      { state: 'open', before: 'open', by: 'calls' },
      { state: 'half-open', before: 'open', by: 'calls' },
      { state: 'closed', before: 'open', by: 'calls' },
    ]);
  });
});
