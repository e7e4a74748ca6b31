/** One provider: the form of its kind, and a test of the unsaved draft. */
import { Skeleton } from 'antd';
import { type ReactNode, useCallback } from 'react';
import { useKinds } from '../../api/kinds.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { specSchema } from '../../components/schema-form/spec-schema.ts';
import { useTexts } from '../../i18n/texts.ts';
import { DraftTest } from './draft-test.tsx';
import { texts } from './texts.ts';

const initial = { name: '', enabled: true, spec: { kind: 'openai-compatible', options: {} } };

interface ProviderDrawerProps {
  readonly name: string | null;
  readonly onClose: () => void;
}

export function ProviderDrawer({ name, onClose }: ProviderDrawerProps): ReactNode {
  const t = useTexts(texts);
  const kinds = useKinds();
  const schemaOf = useCallback((spec: Spec) => (kinds.data === undefined ? {} : specSchema(kinds.data, 'provider', spec)), [kinds.data]);
  if (kinds.error !== null) return <ErrorState error={kinds.error} onRetry={() => void kinds.refetch()} />;
  if (kinds.data === undefined) return <Skeleton active />;
  return (
    <ResourceDrawer collection="providers" name={name} title={name ?? t('new')} initial={initial} schemaOf={schemaOf} onClose={onClose}>
      {(draft, stored) => <DraftTest spec={draft.spec} stored={stored?.name} />}
    </ResourceDrawer>
  );
}
