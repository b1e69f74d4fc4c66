import type { Run, TrialResult } from '../run/types.js';
import { escapeMarkup } from './markup.js';

/** JUnit's XML: a test case a trial, for CI to show. */
export function junitReport({ header, results }: Run): string {
  const count = (...statuses: TrialResult['status'][]) =>
    results.filter(({ status }) => statuses.includes(status)).length;
  const attributes = `name="${escapeMarkup(header.suite)}" tests="${results.length}" failures="${count('failed')}" errors="${count('error', 'unscored')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes}>`,
    `<testsuite ${attributes} timestamp="${new Date(header.startedAtMs).toISOString()}">`,
    ...results.map((result) => testCase(header.suite, result)),
    '</testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(suite: string, result: TrialResult): string {
  const { caseId, repeat, answer, status } = result;
  const name = repeat === 0 ? caseId : `${caseId} (repeat ${repeat + 1})`;
  const seconds = ((answer?.latencyMs ?? 0) / 1000).toFixed(3);
  const open = `<testcase classname="${escapeMarkup(suite)}" name="${escapeMarkup(name)}" time="${seconds}"`;
  if (status === 'passed') return `${open}/>`;
  const element = status === 'failed' ? 'failure' : 'error';
  const message = reasonOf(result);
  return `${open}><${element} message="${escapeMarkup(message)}">${escapeMarkup(answer?.text ?? '')}</${element}></testcase>`;
}

/** Why a trial didn't pass, on one line. */
export function reasonOf({ status, error, scores, score }: TrialResult): string {
  if (error) return `${error.code}: ${error.message}`;
  if (status === 'unscored') {
    const unknown = scores.filter(({ value }) => value === null);
    return unknown
      .map(({ name, detail }) => `${name}: ${detail}`)
      .join('; ')
      .replaceAll('\n', ' ');
  }
  const parts = scores.map(({ name, value }) => `${name} ${value!.toFixed(2)}`);
  return `score ${score!.toFixed(2)} (${parts.join(', ')})`;
}
