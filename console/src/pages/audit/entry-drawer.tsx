/** One entry of the audit: who, what, what differs, and undoing a change of a row. */
import { Drawer } from 'antd';
import type { ReactNode } from 'react';
import { CopyButton } from '../../components/copy-button.tsx';
import { DifferencesTable } from '../../components/differences-table.tsx';
import { FactList } from '../../components/fact-list.tsx';
import { RestoreRow } from '../../components/restore-row.tsx';
import { type RowState, rowDifferences } from '../../components/row-differences.ts';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ActTag } from './act-tag.tsx';
import { EntryDetail, type Sentence } from './entry-detail.tsx';
import { texts } from './texts.ts';

export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly act: string;
  readonly target: string;
  readonly before: RowState | null;
  readonly after: RowState | null;
  readonly detail: string | null;
  readonly sentences: readonly Sentence[];
  readonly request_id: string | null;
}

/** The revision before the change of a row. Null for an entry about anything else. */
function revisionBefore({ before, after }: AuditEntry): number | null {
  if (before?.revision !== undefined) return before.revision;
  return after?.revision === undefined ? null : after.revision - 1;
}

export function EntryDrawer({ entry, onClose }: { readonly entry: AuditEntry; readonly onClose: () => void }): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  const format = useFormat();
  const { request_id: requestId, before, after } = entry;
  const hasRow = before !== null || after !== null;
  const revision = revisionBefore(entry);
  const [kind = '', ...name] = entry.target.split('/');
  return (
    <Drawer
      open
      size={860}
      onClose={onClose}
      title={
        <>
          <ActTag act={entry.act} /> <code translate="no">{entry.target}</code>
        </>
      }
    >
      <FactList
        facts={[
          [t('at'), format.dateTime(entry.at)],
          [
            t('actor'),
            <span key="actor" translate="no">
              {entry.actor}
            </span>,
          ],
          [t('detail'), entry.detail !== null && <EntryDetail key="detail" detail={entry.detail} sentences={entry.sentences} />],
          [
            t('requestId'),
            requestId !== null && (
              <>
                <code translate="no">{requestId}</code> <CopyButton text={requestId} label={t('requestId')} />
              </>
            ),
          ],
        ]}
      />
      {hasRow && (
        <>
          <p className="form-help">{t('masked')}</p>
          <DifferencesTable differences={rowDifferences(before, after)} before={t('before')} after={t('after')} />
          {revision !== null && <RestoreRow kind={kind} name={name.join('/')} revision={revision} onRestored={onClose} />}
        </>
      )}
    </Drawer>
  );
}
