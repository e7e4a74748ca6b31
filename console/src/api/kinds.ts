/** The kinds and rows of the gateway as JSON Schema, from which every form is made. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call } from './client.ts';

interface ChineseText {
  readonly title?: string;
  readonly description?: string;
}

/** The parts of JSON Schema that a form reads. */
export interface FormSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly 'x-zh'?: ChineseText;
  readonly 'x-order'?: number;
  readonly 'x-advanced'?: boolean;
  readonly 'x-multiline'?: boolean;
  /** What the value names: `provider`, `model`, `capability`, `kind/provider` and others. */
  readonly 'x-reference'?: string;
  readonly writeOnly?: boolean;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, FormSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | FormSchema;
  readonly propertyNames?: FormSchema;
  readonly items?: FormSchema;
  readonly anyOf?: readonly FormSchema[];
  readonly oneOf?: readonly FormSchema[];
  readonly allOf?: readonly FormSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly $ref?: string;
}

export interface Kind {
  readonly type: string;
  readonly kind: string;
  readonly title: string;
  readonly 'x-zh': ChineseText;
  readonly options: FormSchema | null;
  readonly example: Readonly<Record<string, unknown>> | null;
}

export interface RowKind {
  readonly type: string;
  readonly path: string;
  readonly title: string;
  readonly 'x-zh': ChineseText;
  readonly name: FormSchema | null;
  readonly spec: FormSchema;
  readonly example: Readonly<Record<string, unknown>>;
}

export interface Kinds {
  readonly kinds: readonly Kind[];
  readonly rows: readonly RowKind[];
}

/** Constant while the gateway runs. */
export function useKinds(): UseQueryResult<Kinds> {
  return useQuery({ queryKey: ['/api/kinds'], queryFn: () => call<Kinds>('GET', '/api/kinds'), staleTime: Infinity });
}
