/** Imports a skill from the zip of a folder in the SKILL.md format. */
import { Button, Form, Modal, Switch } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { call, queryOf } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useCanAct } from '../../components/can.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { ReferenceControl } from '../../components/schema-form/reference-control.tsx';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useTexts } from '../../i18n/texts.ts';
import { useSkillAct } from './skill-api.ts';
import { texts } from './texts.ts';

interface ImportModalProps {
  readonly onClose: () => void;
  readonly onImported: (name: string) => void;
}

interface Wanted {
  readonly file: File;
  readonly model: string;
  readonly replace: boolean;
}

async function importFolder({ file, model, replace }: Wanted): Promise<Row> {
  const query = queryOf({ model, replace: replace ? 'true' : undefined });
  return call<Row>('POST', `/api/skills/import${query}`, { file, headers: { 'content-type': 'application/zip' } });
}

export function ImportModal({ onClose, onImported }: ImportModalProps): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  const input = useRef<HTMLInputElement>(null);
  const [file, setFile] = useState<File | null>(null);
  const [model, setModel] = useState('');
  const [replace, setReplace] = useState(false);
  const act = useSkillAct(importFolder);
  const canAct = useCanAct();
  return (
    <Modal
      open
      title={t('import')}
      okText={t('import')}
      cancelText={t('cancel')}
      okButtonProps={{ disabled: !canAct || file === null, loading: act.isPending }}
      onOk={() => file !== null && act.mutate({ file, model, replace }, { onSuccess: ({ name }) => onImported(name) })}
      onCancel={onClose}
    >
      <p>{t('importHelp')}</p>
      {act.error !== null && <ErrorState error={act.error} />}
      <Form layout="vertical">
        <Form.Item label={t('importFile')} htmlFor="import-file">
          <input
            ref={input}
            type="file"
            accept=".zip,application/zip"
            className="file-input"
            tabIndex={-1}
            aria-hidden
            onChange={({ target }) => setFile(target.files?.[0] ?? null)}
          />
          <Button id="import-file" onClick={() => input.current?.click()}>
            {t('chooseZip')}
          </Button>{' '}
          <span translate="no">{file?.name}</span>
        </Form.Item>
        <Form.Item label={t('model')} htmlFor="import-model" extra={t('importModelHelp')}>
          <ReferenceControl
            id="import-model"
            aria-label={t('model')}
            disabled={false}
            reference="model"
            value={model}
            onChange={setModel}
          />
        </Form.Item>
        <Form.Item label={t('importReplace')} htmlFor="import-replace" extra={t('importReplaceHelp')}>
          <Switch id="import-replace" aria-label={t('importReplace')} checked={replace} onChange={setReplace} />
        </Form.Item>
      </Form>
    </Modal>
  );
}
