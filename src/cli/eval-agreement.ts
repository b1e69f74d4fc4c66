import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { SluiceError } from '../errors.js';
import { judgeAgreement, type LabelledCase } from '../eval/judge/agreement.js';
import { wilsonInterval, Z_95 } from '../support/wilson.js';
import { plainly } from '../support/wording.js';
import { openJudge } from './eval-endpoint.js';
import { stopAtSignal } from './stop-signals.js';

const labelled = z.object({
  prompt: z.string(),
  answer: z.string(),
  expected: z.string().nullish(),
  good: z.boolean(),
});

async function labelledCases(file: string): Promise<LabelledCase[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new SluiceError('not_found', `The labelled answers can't be read: ${error.message}.`);
  });
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [labelled.parse(JSON.parse(line), plainly)];
    } catch (error) {
      const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
      throw new SluiceError('invalid_value', `${file}, line ${index + 1}: ${why}`);
    }
  });
}

interface AgreementOptions {
  judge: string;
  judgeUrl: string;
  criteria: string;
  json: boolean;
}

export async function agreementCommand(file: string, options: AgreementOptions): Promise<void> {
  const cases = await labelledCases(file);
  const judges = options.judge.split(',').map((model) => openJudge(options.judgeUrl, model));
  const report = await judgeAgreement(judges, cases, [options.criteria], stopAtSignal());
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const { cases, agreed, kappa, unreadable } = report;
    const [low, high] = wilsonInterval(agreed * cases, cases, Z_95).map(percent);
    process.stdout.write(
      `Of ${cases} cases judged, ${percent(agreed)} % as people did (95 % interval ${low} to ${high} %); Cohen's kappa ${kappa.toFixed(2)} (0 is chance). ${unreadable} verdicts could not be had.\n`,
    );
  }
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
