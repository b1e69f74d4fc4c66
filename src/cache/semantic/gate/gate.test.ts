import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerKindOf } from './answer-kind.js';
import { type Disagreement, disagreement } from './gate.js';

/** Hard cases: near in their vectors, far in what they ask. */
const differences: [Disagreement, string, string][] = [
  ['numbers', 'Convert 5 km to miles.', 'Convert 50 km to miles.'],
  ['numbers', 'Convert 5 km to miles.', 'Convert 5 miles to km.'],
  ['numbers', 'Give me two ideas.', 'Give me three ideas.'],
  ['numbers', 'Book a table for 2 at 7:30', 'Book a table for 7 at 2:30'],
  ['numbers', 'What is 10% of 1,200?', 'What is 10% of 120?'],
  ['numbers', 'Plan a trip of 3 days.', 'Plan a trip of 3 weeks.'],
  ['numbers', 'How much is $5 in yen?', 'How much is €5 in yen?'],
  ['numbers', 'Who won in 2018?', 'Who won in 2019?'],
  ['negation', 'Can I take it with food?', "Can't I take it with food?"],
  ['negation', 'Is a visa needed?', 'Is a visa not needed?'],
  ['negation', 'Coffee with milk', 'Coffee without milk'],
  ['negation', 'Why does it work?', 'Why doesn’t it work?'],
  ['names', 'Who is the mayor of Paris?', 'Who is the mayor of Prague?'],
  ['names', 'How do I sort a list in Python?', 'How do I sort a list in Java?'],
  ['names', 'What does NATO do?', 'What does NASA do?'],
  ['order', 'Did Alice hire Bob?', 'Did Bob hire Alice?'],
  ['order', 'Flights from Oslo to Rome', 'Flights from Rome to Oslo'],
  ['order', 'Is Chile larger than Peru?', 'Is Peru larger than Chile?'],
  ['words', 'who is the mayor of paris', 'who is the mayor of prague'],
  ['words', 'How do I turn on the alarm?', 'How do I turn off the alarm?'],
  ['words', 'What is the highest peak?', 'What is the lowest peak?'],
  ['words', 'How do I import data?', 'How do I export data?'],
  ['words', 'What should I eat before a race?', 'What should I eat after a race?'],
  ['names', 'Is it open on Sunday?', 'Is it open on Monday?'],
  ['names', 'How warm is it in March?', 'How warm is it in May?'],
  ['words', 'What is the capital of Chile?', 'What is the population of Chile?'],
  ['names', 'What is the temperature in Celsius?', 'What is the temperature in Fahrenheit?'],
  ['words', 'How do I say "good morning"?', 'How do I say "good evening"?'],
  ['words', 'How do I sign up?', 'How do I sign in?'],
  ['words', 'How do I log in?', 'How do I log out?'],
  ['words', 'How do I speed up a video?', 'How do I slow down a video?'],
  ['words', 'What is it?', 'What does it do?'],
  ['words', 'Wie spät ist es?', 'What time is it?'],
  ['order', 'does a dog chase a cat', 'does a cat chase a dog'],
  ['order', 'Can a plant poison an animal?', 'Can an animal poison a plant?'],
  ['relation', 'convert a string to an integer', 'convert an integer to a string'],
  ['relation', 'the way from the airport to the hotel', 'the way from the hotel to the airport'],
  ['subject', 'What eats foxes?', 'What do foxes eat?'],
  ['kind', 'When was the company founded?', 'Where was the company founded?'],
  ['kind', 'How long is the train ride?', 'How much is the train ride?'],
  ['kind', 'Why does bread rise?', 'How does bread rise?'],
];

test('questions that ask for something else', () => {
  for (const [reason, first, second] of differences) {
    assert.equal(disagreement(first, second), reason, `${first} | ${second}`);
    assert.notEqual(disagreement(second, first), null, `${second} | ${first}`);
  }
});

test('the same question in other words', () => {
  const same = [
    ['What is the capital city of France?', 'Which city is the capital of France?'],
    ['Who wrote Dracula?', 'Who is the author of Dracula?'],
    ['How do I delete a folder in Linux?', 'Please tell me how to remove a directory in Linux'],
    ['What can I see in Rome in two days?', 'What can I see in Rome in 2 days?'],
    ['When was the bridge built?', 'In which year was the bridge constructed?'],
    ['Is it possible to return a gift?', 'Can I return a gift?'],
    ['What is 10% of 1,200?', 'How much is 10 percent of 1200?'],
    ["My parcel hasn't arrived.", 'My package has not arrived.'],
    ['How are songs written?', 'How do you write songs?'],
    ['How do I log in?', 'How can I sign in?'],
    ['Translate "good night" to Dutch.', 'How do you say "good night" in Dutch?'],
    ['What does the word verbose mean?', 'What is the definition of verbose?'],
    ['When should I visit Peru?', 'What is the best time to visit Peru?'],
  ] as const;
  for (const [first, second] of same) assert.equal(disagreement(first, second), null, `${first} | ${second}`);
});

test('a question agrees with itself', () => {
  for (const [, first, second] of differences)
    for (const question of [first, second]) assert.equal(disagreement(question, question), null, question);
});

test('texts without words', () => {
  assert.equal(disagreement('', ''), null);
  assert.equal(disagreement('???', '…'), null);
  assert.notEqual(disagreement('', 'hello'), null);
});

test('what kind of answer is wanted', () => {
  const kinds = {
    'When does it open?': 'time',
    'What year did it sink?': 'time',
    'Where is it?': 'place',
    'How many are there?': 'count',
    'How often should I call?': 'frequency',
    'Can you explain why it rains?': 'reason',
    'Could you tell me how to swim?': 'manner',
    'What is the best way to swim?': 'manner',
    'Can I swim?': 'decision',
    'It broke. What does it cost?': 'cost',
    'Tell me a story.': 'other',
  };
  for (const [question, kind] of Object.entries(kinds)) assert.equal(answerKindOf(question), kind, question);
});
