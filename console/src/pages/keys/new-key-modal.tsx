/** The only time that a key is shown. It closes by its button alone, so that a stray click loses nothing. */
import { Link } from '@tanstack/react-router';
import { Alert, Button, Input, Modal, Space } from 'antd';
import type { ReactNode } from 'react';
import { CopyButton } from '../../components/copy-button.tsx';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useTexts } from '../../i18n/texts.ts';
import type { NewKey } from './key.ts';
import { texts } from './texts.ts';

export function NewKeyModal({ made, onClose }: { readonly made: NewKey; readonly onClose: () => void }): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  return (
    <Modal
      open
      title={t('madeTitle')}
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      footer={
        <Button type="primary" onClick={onClose}>
          {t('madeDone')}
        </Button>
      }
    >
      <Alert type="warning" showIcon title={t('madeHelp')} />
      <Space className="new-key" wrap>
        <Input readOnly className="code" aria-label={t('key')} value={made.key} size="large" onFocus={({ target }) => target.select()} />
        <CopyButton text={made.key} label={t('key')} showText />
      </Space>
      <p>
        <Link to="/connect">{t('toConnect')}</Link>
      </p>
    </Modal>
  );
}
