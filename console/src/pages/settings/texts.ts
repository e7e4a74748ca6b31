import { defineTexts } from '../../i18n/texts.ts';
import en from './texts.en.json';
import zh from './texts.zh.json';

export const texts = defineTexts({ en, zh });
