import type { NearKind } from './pair.js';

/**
 * Questions with gaps. `same` are wordings of one question; each `near` looks like it and asks for something else. `{city}` is
 * filled with a value of that slot, `{city*}` with another one of the same slot.
 */
export interface Frame {
  slots: Record<string, readonly string[]>;
  same: readonly [string, string];
  near: readonly (readonly [NearKind, string])[];
}

const cities = [
  'Berlin',
  'Madrid',
  'Oslo',
  'Vienna',
  'Lisbon',
  'Prague',
  'Warsaw',
  'Dublin',
  'Athens',
  'Rome',
];
const countries = [
  'Germany',
  'Spain',
  'Norway',
  'Austria',
  'Portugal',
  'Poland',
  'Ireland',
  'Greece',
  'Italy',
  'Chile',
];
const numbers = ['3', '5', '7', '12', '15', '20', '25', '30', '40', '60'];
const large = ['1200', '2500', '3400', '4800', '5600', '7300', '8100', '9400'];
const years = ['1914', '1929', '1945', '1969', '1989', '1994', '2001', '2008', '2016', '2020'];
const months = ['January', 'March', 'April', 'May', 'June', 'August', 'September', 'October', 'December'];
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const languages = ['German', 'Spanish', 'French', 'Italian', 'Dutch', 'Polish', 'Swedish', 'Turkish'];
const coding = ['Python', 'Java', 'Ruby', 'Go', 'Rust', 'Kotlin', 'Swift', 'PHP'];
const companies = ['Apple', 'Microsoft', 'Siemens', 'Toyota', 'Nestle', 'Samsung', 'Intel', 'Boeing'];
const people = ['Alice', 'Bob', 'Carla', 'David', 'Emma', 'Frank', 'Grace', 'Henry'];
const writers = ['Kafka', 'Tolstoy', 'Austen', 'Dickens', 'Orwell', 'Borges', 'Camus', 'Woolf'];
const foods = ['rice', 'lentils', 'pasta', 'broccoli', 'quinoa', 'chicken', 'potatoes', 'beans'];
const animals = ['horse', 'rabbit', 'parrot', 'hamster', 'turtle', 'goat', 'ferret', 'pigeon'];
const metals = ['iron', 'copper', 'gold', 'silver', 'lead', 'zinc', 'nickel', 'tin'];
const settings = [
  'notifications',
  'location sharing',
  'automatic updates',
  'read receipts',
  'spell checking',
  'backups',
];

export const frames: readonly Frame[] = [
  {
    slots: { country: countries },
    same: ['What is the capital city of {country}?', 'Which city is the capital of {country}?'],
    near: [
      ['name', 'What is the capital city of {country*}?'],
      ['attribute', 'What is the largest airport of {country}?'],
      ['language', 'Was ist die Hauptstadt von {country}?'],
    ],
  },
  {
    slots: { from: cities, to: cities },
    same: [
      'How long is the train ride from {from} to {to}?',
      'How long does the train from {from} to {to} take?',
    ],
    near: [
      ['direction', 'How long is the train ride from {to} to {from}?'],
      ['name', 'How long is the train ride from {from} to {to*}?'],
      ['attribute', 'How much is the train ride from {from} to {to}?'],
    ],
  },
  {
    slots: { city: cities, day: weekdays },
    same: ['What will the weather be in {city} on {day}?', 'How will the weather be in {city} on {day}?'],
    near: [
      ['date', 'What will the weather be in {city} on {day*}?'],
      ['name', 'What will the weather be in {city*} on {day}?'],
      ['language', '¿Qué tiempo hará en {city} el lunes?'],
    ],
  },
  {
    slots: { n: numbers },
    same: ['Convert {n} kilometres to miles.', 'How many miles are {n} kilometres?'],
    near: [
      ['direction', 'Convert {n} miles to kilometres.'],
      ['number', 'Convert {n*} kilometres to miles.'],
      ['unit', 'Convert {n} kilograms to pounds.'],
    ],
  },
  {
    slots: { n: numbers },
    same: [
      'How many degrees Fahrenheit are {n} degrees Celsius?',
      'What is {n} degrees Celsius in Fahrenheit?',
    ],
    near: [
      ['direction', 'How many degrees Celsius are {n} degrees Fahrenheit?'],
      ['number', 'How many degrees Fahrenheit are {n*} degrees Celsius?'],
      ['unit', 'How many kelvins are {n} degrees Celsius?'],
    ],
  },
  {
    slots: { n: numbers, m: large },
    same: ['What is {n} percent of {m}?', 'How much is {n} percent of {m}?'],
    near: [
      ['number', 'What is {n*} percent of {m}?'],
      ['number', 'What is {n} percent of {m*}?'],
      ['direction', 'What percentage of {m} is {n}?'],
    ],
  },
  {
    slots: { year: years },
    same: ['What important events happened in {year}?', 'Which important events took place in {year}?'],
    near: [
      ['date', 'What important events happened in {year*}?'],
      ['date', 'What important events happened before {year}?'],
      ['negation', 'What important events did not happen in {year}?'],
    ],
  },
  {
    slots: { country: countries, month: months },
    same: ['How warm is {country} in {month}?', 'How warm does it get in {country} in {month}?'],
    near: [
      ['date', 'How warm is {country} in {month*}?'],
      ['name', 'How warm is {country*} in {month}?'],
      ['opposite', 'How cold is {country} in {month}?'],
    ],
  },
  {
    slots: { language: languages },
    same: [
      'Translate "where is the station" into {language}.',
      'How do I say "where is the station" in {language}?',
    ],
    near: [
      ['language', 'Translate "where is the station" into {language*}.'],
      ['attribute', 'Translate "where is the exit" into {language}.'],
      ['direction', 'Translate "where is the station" from {language} into English.'],
    ],
  },
  {
    slots: { language: coding },
    same: ['How do I read a text file in {language}?', 'How can I read a text file with {language}?'],
    near: [
      ['opposite', 'How do I write a text file in {language}?'],
      ['name', 'How do I read a text file in {language*}?'],
      ['attribute', 'How do I read a zip file in {language}?'],
    ],
  },
  {
    slots: { language: coding },
    same: [
      'How do I remove duplicates from a list in {language}?',
      'How can duplicates be removed from a list in {language}?',
    ],
    near: [
      ['opposite', 'How do I add duplicates to a list in {language}?'],
      ['name', 'How do I remove duplicates from a list in {language*}?'],
      ['attribute', 'How do I count duplicates in a list in {language}?'],
    ],
  },
  {
    slots: { company: companies },
    same: ['When was {company} founded?', 'In which year was {company} founded?'],
    near: [
      ['name', 'When was {company*} founded?'],
      ['attribute', 'Where was {company} founded?'],
      ['attribute', 'By whom was {company} founded?'],
    ],
  },
  {
    slots: { company: companies, other: companies },
    same: ['Did {company} sue {other}?', 'Has {company} ever sued {other}?'],
    near: [
      ['direction', 'Did {other} sue {company}?'],
      ['negation', 'Why did {company} not sue {other}?'],
      ['name', 'Did {company} sue {other*}?'],
    ],
  },
  {
    slots: { a: people, b: people },
    same: ['{a} is taller than {b}. Who is shorter?', 'If {a} is taller than {b}, who is the shorter one?'],
    near: [
      ['direction', '{b} is taller than {a}. Who is shorter?'],
      ['opposite', '{a} is taller than {b}. Who is taller?'],
      ['negation', '{a} is not taller than {b}. Who is shorter?'],
    ],
  },
  {
    slots: { a: people, b: people, n: numbers },
    same: ['{a} lends {b} {n} dollars. Who owes money?', '{a} lent {n} dollars to {b}. Who owes money?'],
    near: [
      ['direction', '{b} lends {a} {n} dollars. Who owes money?'],
      ['attribute', '{a} lends {b} {n} dollars. Who has more money?'],
      ['negation', "{a} didn't lend {b} {n} dollars. Who owes money?"],
    ],
  },
  {
    slots: { writer: writers },
    same: ['Which books did {writer} write?', 'What books were written by {writer}?'],
    near: [
      ['name', 'Which books did {writer*} write?'],
      ['attribute', 'Which letters did {writer} write?'],
      ['negation', 'Which books did {writer} not finish?'],
    ],
  },
  {
    slots: { food: foods, n: numbers },
    same: ['How many calories are in {n} grams of {food}?', 'How many calories do {n} grams of {food} have?'],
    near: [
      ['number', 'How many calories are in {n*} grams of {food}?'],
      ['unit', 'How many calories are in {n} ounces of {food}?'],
      ['attribute', 'How much protein is in {n} grams of {food}?'],
    ],
  },
  {
    slots: { food: foods },
    same: ['How long do I have to cook {food}?', 'How long should {food} be cooked?'],
    near: [
      ['name', 'How long do I have to cook {food*}?'],
      ['attribute', 'How long can I store {food}?'],
      ['negation', 'How do I eat {food} without cooking?'],
    ],
  },
  {
    slots: { animal: animals },
    same: ['What does a {animal} eat?', 'What kind of food does a {animal} eat?'],
    near: [
      ['name', 'What does a {animal*} eat?'],
      ['negation', 'What should a {animal} not eat?'],
      ['direction', 'What eats a {animal}?'],
    ],
  },
  {
    slots: { metal: metals },
    same: ['What is the melting point of {metal}?', 'At what temperature does {metal} melt?'],
    near: [
      ['name', 'What is the melting point of {metal*}?'],
      ['opposite', 'What is the boiling point of {metal}?'],
      ['attribute', 'What is the density of {metal}?'],
    ],
  },
  {
    slots: { setting: settings },
    same: ['How do I turn on {setting}?', 'How can I switch on {setting}?'],
    near: [
      ['opposite', 'How do I turn off {setting}?'],
      ['name', 'How do I turn on {setting*}?'],
      ['negation', "Why can't I turn on {setting}?"],
    ],
  },
  {
    slots: { n: numbers },
    same: ['Write a poem with {n} lines about the sea.', 'Compose a poem about the sea with {n} lines.'],
    near: [
      ['number', 'Write a poem with {n*} lines about the sea.'],
      ['attribute', 'Write a poem with {n} lines about the desert.'],
      ['unit', 'Write a poem with {n} words about the sea.'],
    ],
  },
  {
    slots: { n: numbers, country: countries },
    same: ['Plan a trip of {n} days to {country}.', 'Make a plan for {n} days in {country}.'],
    near: [
      ['number', 'Plan a trip of {n*} days to {country}.'],
      ['unit', 'Plan a trip of {n} weeks to {country}.'],
      ['name', 'Plan a trip of {n} days to {country*}.'],
    ],
  },
  {
    slots: { company: companies, year: years },
    same: ['What was the revenue of {company} in {year}?', 'How much revenue did {company} have in {year}?'],
    near: [
      ['date', 'What was the revenue of {company} in {year*}?'],
      ['attribute', 'What was the profit of {company} in {year}?'],
      ['name', 'What was the revenue of {company*} in {year}?'],
    ],
  },
  {
    slots: { country: countries },
    same: ['Which countries border {country}?', 'What are the neighbouring countries of {country}?'],
    near: [
      ['name', 'Which countries border {country*}?'],
      ['negation', 'Which European countries do not border {country}?'],
      ['attribute', 'Which seas border {country}?'],
    ],
  },
  {
    slots: { country: countries, other: countries },
    same: ['Is {country} larger than {other}?', 'Is {country} bigger than {other}?'],
    near: [
      ['direction', 'Is {other} larger than {country}?'],
      ['opposite', 'Is {country} smaller than {other}?'],
      ['attribute', 'Is {country} richer than {other}?'],
    ],
  },
  {
    slots: { n: numbers, day: weekdays },
    same: ['Remind me on {day} at {n} past nine.', 'Please remind me at {n} past nine on {day}.'],
    near: [
      ['date', 'Remind me on {day*} at {n} past nine.'],
      ['number', 'Remind me on {day} at {n*} past nine.'],
      ['negation', "Don't remind me on {day} at {n} past nine."],
    ],
  },
  {
    slots: { city: cities },
    same: ['What are the best museums in {city}?', 'Which museums in {city} are the best?'],
    near: [
      ['name', 'What are the best museums in {city*}?'],
      ['opposite', 'What are the worst museums in {city}?'],
      ['language', 'Quels sont les meilleurs musées de {city} ?'],
    ],
  },
  {
    slots: { a: people, b: people },
    same: [
      'Write an email from {a} to {b} about the meeting.',
      'Draft an email by {a} to {b} about the meeting.',
    ],
    near: [
      ['direction', 'Write an email from {b} to {a} about the meeting.'],
      ['negation', 'Write an email from {a} to {b} about the meeting without a greeting.'],
      ['attribute', 'Write an email from {a} to {b} about the budget.'],
    ],
  },
  {
    slots: { n: numbers, m: numbers },
    same: ['What is {m} minus {n}?', 'How much is {m} minus {n}?'],
    near: [
      ['direction', 'What is {n} minus {m}?'],
      ['opposite', 'What is {m} plus {n}?'],
      ['number', 'What is {m} minus {n*}?'],
    ],
  },
];
