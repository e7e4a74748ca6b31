/** What the page reads and does below `/api/skills/{name}` and `/v1/skills/{name}`. */
import { useMutation, type UseMutationResult, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import type { ApiError } from '../../api/api-error.ts';
import { call } from '../../api/client.ts';
import type { FormSchema } from '../../api/kinds.ts';
import type { Row, Spec } from '../../api/rows.ts';

export interface SkillSpec extends Spec {
  readonly kind: string;
  readonly version: string;
  readonly live?: string | null;
  readonly title: string;
  readonly description: string;
  readonly model: string;
  readonly cases?: readonly SkillCase[];
}

export interface SkillCase {
  readonly name: string;
  readonly input: unknown;
  readonly expect?: Readonly<Record<string, unknown>>;
}

export interface SkillVersion {
  readonly version: string;
  readonly live: boolean;
  readonly published_at: string;
  readonly published_by: string;
  readonly spec: Spec;
}

export interface SkillRun {
  readonly id: string;
  readonly version: string;
  readonly status: 'completed' | 'incomplete' | 'failed' | 'cancelled';
  readonly output: unknown;
}

export interface CaseResult {
  readonly case: string;
  readonly model: string;
  readonly passed: boolean;
  readonly fault: string | null;
  readonly run: string | null;
  readonly tokens: number;
  readonly cost: number | null;
  readonly currency: string | null;
  readonly ms: number;
}

export interface Evaluation {
  readonly passed: number;
  readonly failed: number;
  readonly data: readonly CaseResult[];
}

export const skillPath = (name: string): string => `/api/skills/${encodeURIComponent(name)}`;
const callPath = (name: string): string => `/v1/skills/${encodeURIComponent(name)}`;

export function useVersions(name: string): UseQueryResult<readonly SkillVersion[]> {
  return useQuery({
    queryKey: ['/api/skills', 'versions', name],
    queryFn: async ({ signal }) =>
      (await call<{ readonly data: readonly SkillVersion[] }>('GET', `${skillPath(name)}/versions`, { signal })).data,
  });
}

/** `reference` is a name, perhaps with `@draft` or a version. */
export function useInputSchema(reference: string, revision: number): UseQueryResult<FormSchema> {
  return useQuery({
    queryKey: ['/v1/skills', reference, revision],
    queryFn: async ({ signal }) => (await call<{ readonly input_schema: FormSchema }>('GET', callPath(reference), { signal })).input_schema,
  });
}

export async function runSkill(reference: string, input: Spec, signal: AbortSignal): Promise<SkillRun> {
  return call<SkillRun>('POST', `${callPath(reference)}/runs`, { body: { input }, signal });
}

/** One act on a skill, after which its row and its versions are read again. */
export function useSkillAct<Answer, Value>(act: (value: Value) => Promise<Answer>): UseMutationResult<Answer, ApiError, Value> {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => client.invalidateQueries({ queryKey: ['/api/skills'] }) });
}

export async function publish(name: string, version: string, revision: number): Promise<Row> {
  return call<Row>('POST', `${skillPath(name)}/publish`, { body: { version }, ifMatch: revision });
}

export async function rollBack(name: string, version: string | null): Promise<Row> {
  return call<Row>('POST', `${skillPath(name)}/rollback`, { body: { version } });
}

export async function deleteVersion(name: string, version: string): Promise<void> {
  return call<void>('DELETE', `${skillPath(name)}/versions/${version}`);
}

export async function evaluate(name: string, models: readonly string[]): Promise<Evaluation> {
  return call<Evaluation>('POST', `${skillPath(name)}/evaluate`, { body: models.length === 0 ? {} : { models } });
}
