/** What the gate knows of English. The gate compares stems, so that one form of a word stands for its others. */

/** Words that say how something is asked, not what: questions may differ in them. */
export const lightWords = words(`
  a an the this that these those there here it its i me my we us our us you your they them their he him his she her one
  am is are was were be been being do does did doing done have has had having get gets got getting
  can could will would shall should may might must need needs let want like ever
  of in on at for with into onto to from by about between as and or but if then than so such per each any some up
  what which who whom whose when where why how whether
  please tell know say says give show teach hi hello hey explain describe define mean means meaning stand stands
  way ways step steps process method procedure recipe reason reasons go goes going thing things something someone
  person people kind type
  possible able okay ok exactly really just also very currently current actually simply right correct own
  more most other others all both via
  good best great better proper
  take takes took taken place happen happens happened occur occurs make makes made work works
  located call called find found name named number amount full form use used using
  help helps offer offers accept accepted support supported considered count counts
`);

/**
 * Words that are light right after "what", "which" or "how": they say what kind of answer is wanted, which the form of the
 * question says too.
 */
export const askingNouns = words(`
  time year date place location reason cause causes caused many much long far often frequently
  team scientist artist inventor author writer player
`);

export const negations = words('not no never without neither nor none nobody nothing nowhere');

/** Words that stand for the same. A word may be in several groups: its meanings. */
export const synonymGroups = groups(`
  begin start commence
  end finish
  buy purchase
  cost price expensive
  delete remove erase
  create build construct
  fix repair mend
  big large
  small little minor
  quick quickly fast rapid
  fast speed
  old age
  biggest largest maximum max
  smallest minimum min
  highest tallest
  hard difficult
  easy simple
  rich wealthy
  ill sick
  illness disease
  famous known
  important significant
  wrong incorrect
  safe secure
  car automobile
  shop store
  house home
  street road
  company firm business
  city town
  country nation
  error bug
  app application
  website site
  phone smartphone mobile
  television tv
  fridge refrigerator
  vacation holiday
  flat apartment
  subway metro
  truck lorry
  petrol gas
  bill invoice
  basket cart
  parcel package
  deliver ship
  film movie
  doctor physician
  medicine medication
  pain ache
  kid child
  baby infant
  mother mom mum
  father dad
  boss manager
  employee worker
  job position
  hire recruit
  wage salary pay
  teacher instructor
  pupil student
  exam test
  course class
  raise rise
  author writer write
  artist painter paint
  inventor invent
  composer compose
  discoverer discover
  winner win
  customer user
  agent representative
  switch turn
  enable activate turn switch
  disable deactivate
  choose select pick
  display show
  launch open
  close shut
  check test verify
  copy duplicate
  change edit modify update
  prevent avoid
  contact reach
  recover restore
  set configure
  picture photo image
  string str
  integer int
  dictionary dict
  directory folder
  argument parameter
  earth world
  autumn fall
  day daily
  week weekly
  month monthly
  year yearly annual annually
  kilometre kilometer km
  metre meter
  centimetre centimeter cm
  gram gramme
  kilogram kilo kg
  litre liter
  celsius centigrade
  percent percentage
  colour color
  licence license
  centre center downtown
  border neighbour neighbor neighbouring neighboring
  visit travel trip
  require need
  treat treatment
  summarise summarize summary
  write compose draft
  greeting message
  fly flight
  population live inhabitant
  combine merge join
  sort order
  revert undo
  last recent
  improve better
  differ difference
  benefit beneficial advantage
  risk danger
  unhealthy bad
  exercise workout
  decrease reduce lower
  lifespan live
  eat diet
  sue lawsuit
  remind reminder
  email mail
  defeat beat
  calculate compute formula
  frequent often
  precede before
  bad worse
`);

/** Forms of irregular words, by the word. */
export const irregularForms: ReadonlyMap<string, string> = new Map(
  groups(`
    write wrote written
    speak spoke spoken
    buy bought
    sell sold
    build built
    eat ate eaten
    drink drank drunk
    drive drove driven
    fly flew flown
    grow grew grown
    know knew known
    lose lost
    pay paid
    run ran
    see saw seen
    send sent
    sleep slept asleep
    spend spent
    swim swam
    teach taught
    think thought
    understand understood
    win won
    begin began begun
    break broke broken
    bring brought
    catch caught
    choose chose chosen
    fall fell fallen
    forget forgot forgotten
    hold held
    keep kept
    lead led
    leave left
    lend lent
    meet met
    sing sang sung
    sink sank sunk
    wear wore worn
    sue sued suing
    mouse mice
    goose geese
    foot feet
    tooth teeth
    child children
    man men
    woman women
  `).flatMap(([word, ...forms]) => forms.map((form): [string, string] => [form, word!])),
);

export const numberWords: ReadonlyMap<string, string> = new Map(
  Object.entries({
    zero: '0',
    two: '2',
    three: '3',
    four: '4',
    five: '5',
    six: '6',
    seven: '7',
    eight: '8',
    nine: '9',
    ten: '10',
    eleven: '11',
    twelve: '12',
    dozen: '12',
    fifteen: '15',
    twenty: '20',
    thirty: '30',
    fifty: '50',
    hundred: '100',
    thousand: '1000',
    million: '1000000',
    billion: '1000000000',
  }),
);

/** What numbers count or measure: "5 miles" is another quantity than "5 kilometres", wherever else the words stand. */
export const unitWords = words(`
  second minute hour day week month year decade century
  kilometre kilometer km metre meter centimetre centimeter mile foot feet inch yard
  gram gramme kilogram kilo kg pound ounce ton litre liter gallon cup
  celsius centigrade fahrenheit kelvin degree percent
  dollar euro yen franc cent word line page sentence paragraph character times
  byte kilobyte megabyte gigabyte watt volt
`);

/** Words whose object matters: "to Paris" is another way than "from Paris". */
export const relationWords: ReadonlyMap<string, string> = new Map(
  Object.entries({
    to: 'to',
    into: 'to',
    from: 'from',
    than: 'than',
    before: 'before',
    after: 'after',
    by: 'by',
    without: 'without',
  }),
);

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

function groups(text: string): readonly (readonly string[])[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
}
