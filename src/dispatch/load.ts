/** The live numbers of this node, by deployment. */
import type { DeploymentLoad, LoadView } from '../types/dispatch.ts';

export interface DeploymentNumbers extends DeploymentLoad {
  readonly attempts: number;
  readonly failures: number;
}

interface Numbers {
  inFlight: number;
  attempts: number;
  failures: number;
}

const idle: DeploymentLoad = { inFlight: 0 };

export class Load implements LoadView {
  readonly #numbers = new Map<string, Numbers>();

  of(deploymentId: string): DeploymentLoad {
    return this.#numbers.get(deploymentId) ?? idle;
  }

  began(deploymentId: string): void {
    let numbers = this.#numbers.get(deploymentId);
    if (numbers === undefined) this.#numbers.set(deploymentId, (numbers = { inFlight: 0, attempts: 0, failures: 0 }));
    numbers.inFlight++;
    numbers.attempts++;
  }

  ended(deploymentId: string, failed: boolean): void {
    const numbers = this.#numbers.get(deploymentId);
    if (numbers === undefined) return;
    numbers.inFlight--;
    if (failed) numbers.failures++;
  }

  all(): Readonly<Record<string, DeploymentNumbers>> {
    return Object.fromEntries([...this.#numbers].map(([id, numbers]) => [id, { ...numbers }]));
  }
}
