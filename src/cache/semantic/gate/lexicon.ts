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
  usually normally typically generally approximately roughly nowadays now basically specifically
  particular specific certain given exact total overall
  wonder wondering curious interested trying easiest simplest ride
  explanation definition description information info detail details instructions translate translation
`);

/**
 * Words that are light right after "what", "which" or "how": they say what kind of answer is wanted, which the form of the
 * question says too.
 */
export const askingNouns = words(`
  time year date place location reason cause causes caused many much long far often frequently
  team scientist artist inventor author writer player
`);

/** Words that are light right after "the": what follows is meant, "the word ubiquitous". */
export const appositionNouns = words('word term phrase expression');

/** Words that mean something else together, as the one word that says so. */
export const phrases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'sign up': 'register',
    'sign in': 'login',
    'log in': 'login',
    'log on': 'login',
    'sign out': 'logout',
    'log out': 'logout',
    'log off': 'logout',
    'turn on': 'enable',
    'switch on': 'enable',
    'turn off': 'disable',
    'switch off': 'disable',
    'shut down': 'shutdown',
    'turn up': 'increase',
    'turn down': 'decrease',
    'speed up': 'accelerate',
    'slow down': 'decelerate',
    'get back': 'recover',
    'give back': 'return',
    'send back': 'return',
    'bring back': 'return',
    'take up': 'absorb',
    'come down': 'fall',
    'came down': 'fell',
    'look for': 'search',
    'look up': 'search',
    'give up': 'quit',
    'throw away': 'discard',
    'put off': 'postpone',
    'call off': 'cancel',
    'carry out': 'perform',
    'pick up': 'collect',
    'back up': 'backup',
    'made of': 'consist',
    'consist of': 'consist',
    'consists of': 'consist',
    'composed of': 'consist',
    'take off': 'depart',
    'run out': 'expire',
    'break down': 'fail',
    'passed away': 'died',
    'pass away': 'die',
  }),
);

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
  policy rule guideline regulation
  speak talk contact reach
  delete clear wipe
  fast quick speed
  cancel terminate
  refund reimburse reimbursement
  computer pc
  laptop notebook
  song tune
  lawyer attorney solicitor
  police cop
  sickness illness disease ailment
  drug medicine medication
  pill tablet
  vaccine vaccination jab
  stomach belly tummy
  dinner supper
  drink beverage
  cookie biscuit
  eggplant aubergine
  zucchini courgette
  cilantro coriander
  shrimp prawn
  trash garbage rubbish
  trousers pants
  sweater jumper pullover
  sneaker trainer
  elevator lift
  faucet tap
  flashlight torch
  diaper nappy
  sidewalk pavement
  highway motorway freeway
  couch sofa settee
  airplane plane aeroplane aircraft
  bicycle bike
  motorcycle motorbike
  taxi cab
  luggage baggage
  journey trip travel voyage
  railway railroad
  currency money
  income earnings
  law legislation
  illegal unlawful forbidden prohibited
  allow permit let
  tall height high
  depth deep
  width wide broad
  weight weigh heavy
  size big large
  strong strength
  warmest hottest
  coldest coolest
  newest latest
  dangerous hazardous risky unsafe
  common usual typical
  rare uncommon
  main primary principal major
  benefit advantage pro upside
  disadvantage drawback downside con
  purpose function role
  feature characteristic property trait
  effect consequence impact result outcome
  influence affect effect
  origin source
  component part
  example instance
  idea suggestion tip advice recommendation
  recommend suggest advise
  tutorial guide
  differ distinguish distinction
  compare comparison
  similar alike resemble
  equal identical same
  convert transform
  calculate determine
  fix solve resolve troubleshoot
  problem issue trouble
  uninstall remove
  login signin
  register registration enrol enroll signup
  stop cease
  absorb soak
  perform conduct
  obtain acquire
  receive obtain
  keep maintain retain preserve
  save store
  protect guard defend
  hurt harm injure
  kill slay
  birth born
  marry wed wedding marriage
  wife spouse
  husband spouse
  friend pal buddy
  woman lady
  forest wood
  stone rock
  rain rainfall
  animal creature
  rabbit bunny
  snake serpent
  pig hog
  cook prepare
  warm heat
  cool chill
  wash clean rinse
  dirty filthy
  smell odour odor scent
  taste flavour flavor
  noise sound
  loud noisy
  quiet silent
  bright shiny
  dark dim
  wet damp moist
  empty vacant
  whole entire
  complete finish
  correct accurate
  mistake error
  true real genuine
  fake counterfeit
  cheap inexpensive affordable
  costly expensive
  discount rebate
  coupon voucher
  customer client shopper
  seller vendor merchant
  staff personnel
  skill ability
  knowledge understanding
  learn study
  lesson class
  homework assignment
  grade mark score
  essay composition
  story tale
  poem verse
  title heading
  summary overview synopsis
  language tongue
  famous popular
  beautiful pretty lovely
  smart intelligent clever
  happy glad
  sad unhappy
  angry mad
  afraid scared frightened
  tired exhausted
  calm relaxed
  nervous anxious anxiety
  stress tension
  sleep rest
  shout yell
  cry weep
  laugh giggle
  gift present
  party celebration
  championship tournament
  password passcode
  account profile
  screen display monitor
  keyboard keypad
  variable var
  library package module
  repository repo
  bug defect
  slow sluggish
  wifi wireless
  link url
  notification alert
  settings preferences options
  configuration setup config
  database db
  regex regexp
  authentication auth
  environment env
  purpose goal aim objective
  ride trip journey
  legal lawful allowed permitted legally
  mobile cell cellphone
  ocean sea
  internet web
  length long
  freeze frozen
  die death
  resume cv
  search look
  meal dish
  goal aim target
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
