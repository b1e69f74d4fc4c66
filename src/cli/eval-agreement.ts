import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { judgeAgreement } from '../eval/judge/agreement.js';
import { openJudge } from './eval-endpoint.js';
import { stopAtSignal } from './stop-signals.js';

const labelled = z.object({
  prompt: z.string(),
  answer: z.string(),
  expected: z.string().nullish(),
  good: z.boolean(),
});

interface AgreementOptions {
  judge: string;
  judgeUrl: string;
  criteria: string;
  json: boolean;
}

export async function agreementCommand(file: string, options: AgreementOptions): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const cases = lines.map((line) => labelled.parse(JSON.parse(line)));
  const judges = options.judge.split(',').map((model) => openJudge(options.judgeUrl, model));
  const report = await judgeAgreement(judges, cases, [options.criteria], stopAtSignal());
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const { cases, agreed, kappa, unreadable } = report;
    process.stdout.write(
      `Of ${cases} cases judged, ${(agreed * 100).toFixed(1)} % as people did; Cohen's kappa ${kappa.toFixed(2)} (0 is chance). ${unreadable} verdicts could not be read.\n`,
    );
  }
}
