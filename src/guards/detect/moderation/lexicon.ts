/** What words are about where moderation is concerned; `*` stands for any ending, `_` joins words. */
export const moderationLexicon: Readonly<Record<string, string>> = {
  insult:
    'idiot*|stupid*|moron*|loser*|dumb|pathetic|worthless|disgusting|ugly|fat_pig|scum|trash|garbage|bitch*|bastard*|asshole*|coward*|freak*|imbecile*|retard*|clown|waste_of_space|shut_up|hate_you|nobody_likes|nobody_wants|idiota*|imbecil*|estupid*|connard*|salope*|abruti*|arschloch|dummkopf|trottel|versager|идиот*|дурак|тупой|ничтожеств*|白痴|废物|笨蛋|cretin*|fallit*|stronz*|idiota|bastardo|schifo|buono_a_nulla|imbecille|filthy|spineless|scumbag*|dimwit*|brainless|ugly_cow|stupid_pig|miserable|drop_dead|get_lost|bully|humiliat*|mock|ridicul*',
  group:
    'immigrant*|migrant*|refugee*|foreigner*|muslim*|jew|jews|jewish|christian*|hindu*|black_people|white_people|asian*|africans|arabs|mexicans|gypsies|roma|gays|gay_people|lesbian*|trans_people|women|disabled_people|old_people|that_race|their_religion|those_people|inmigrante*|judio*|musulman*|etranger*|juif*|auslander*|juden|muslime|fluchtling*|мигрант*|евре*|мусульман*|移民|穆斯林|犹太人|immigrati|ebrei|musulmani|zingari|donne|rifugiati|stranieri|transgender|catholics|natives|indigenous|disabled',
  dehumanise:
    "vermin|rats|cockroach*|subhuman*|animals|parasite*|inferior|plague|disease|filth*|savages|don't_belong|go_back|not_human|should_not_exist|ruin_our|stealing_our|criminals_by_nature|all_the_same|keep_them_out|no_rights|parasit*|minderwertig|ungeziefer|ratas|raus|паразит*|害虫|低等|parassit*|inferiori|piaga|feccia|vermi|born_criminals|cancer_of|send_them_back|kick_them_out",
  kill: 'kill*|murder*|shoot*|stab*|strangle*|slaughter*|massacre*|execute*|behead*|burn_alive|beat_up|beat_you|break_your|hurt_you|destroy_you|smash|exterminate*|wipe_out|hang_them|gas_them|hunt_you|find_you|come_for_you|make_you_pay|regret|bleed|matar*|mato|voy_a_matar|tuer*|tue|umbringen|toten|erschie*|убью|убить|зарезать|杀|打死|ammazz*|uccid*|uccidere|ucciderò|brucio|bruciare|sparare|drown*|bury_you|cut_your_throat|strangl*|verbrenn*',
  you: "you|your|you're|you'll|tu|te|toi|dich|du|dir|ты|тебя|你",
  threat:
    "i_will|i'll|i_am_going_to|i'm_going_to|gonna|we_will|we'll|watch_your_back|you_are_dead|you're_dead|last_day|wait_until|they_should|should_all|must_be|deserve|voy_a|je_vais|ich_werde|я_тебя|我要|ti_ammazzo|ti_spacco|vedrai|i_know_where_you_live|count_your_days|coming_for_you|pay_with_blood|you_will_pay",
  gore: 'blood*|guts|intestine*|entrails|gore|gory|severed|dismember*|mutilat*|decapitat*|brain_matter|flesh|bone*|wound*|torn|skull|rotting|splatter*|gouge*|flayed|corpse*|screaming|brains|eyes_were|stump|throat|gush*|peeled|hacked|beheading|axe|chainsaw|gory|smembr*|sangue|viscere',
  violence:
    'attack*|assault*|fight*|punch*|beat|beating|torture*|war|bombing|explosion|gunfire|battle*|riot*|lynch*|stabbing|shooting|violence|violent|weapon*|knife|gun|guns|machete|terror*|killed|murdered|died|dead|execution',
  suicide:
    "suicide|suicidal|kill_myself|end_my_life|take_my_own_life|end_it_all|don't_want_to_live|want_to_die|wish_i_was_dead|better_off_dead|no_reason_to_live|hang_myself|overdose*|cut_myself|cutting_myself|cutting|self-harm|self_harm|hurt_myself|harm_myself|starve_myself|starving|purging|slit|jump_off|pro-ana|suicidarme|quitarme_la_vida|me_suicider|mourir|selbstmord|umbringen_will|mich_umbringen|ritzen|покончить_с_собой|не_хочу_жить|自杀|自残|不想活|suicid*|uccidermi|farla_finita|togliermi_la_vita|voglio_morire|non_ce_la_faccio|end_my_own_life|wrists|thinspo|anorexi*|hide_my_cuts|stop_eating",
  self: 'i|me|my|myself|i_am|i_have|i_feel|yo|me|je|ich|mich|я|мне|我',
  intent:
    "i_want_to|i_am_going_to|i'm_going_to|i_plan|i_decided|i_will|tonight|tomorrow|goodbye|farewell|last_note|note|already_bought|can't_go_on|ready_to|quiero|je_veux|ich_will|хочу|我想",
  howTo:
    'how_to|how_do_i|how_can_i|how_much|how_many|instructions|step_by_step|steps|guide|tutorial|recipe|teach_me|explain_how|best_way|easiest_way|tell_me_how|ways_to|method*|tips|without_getting_caught|without_being|undetected|come_se|como_puedo|comment|wie_kann|как|怎么|如何|come_posso|come_si|dimmi_come|spiegami|how_would_i|what_do_i_need|list_of_materials|help_me|without_a_trace',
  drugs:
    'meth|methamphetamine|cocaine|crack|heroin|fentanyl|lsd|mdma|ecstasy|cannabis|weed|ketamine|opium|steroids|prescription_pills|without_prescription|drug|drugs|dealer|dark_web|darknet|cocaina|drogue*|drogen|kokain|наркотик*|毒品|冰毒|droga|cocaina|eroina|opioid*|narcotic*|pills|hash|marihuana',
  crime:
    'steal*|shoplift*|rob|robbing|burglar*|break_into|pick_the_lock|launder*|counterfeit*|forge*|fake_passport|fake_id|fraud|scam*|phish*|hack*|malware|ransomware|keylogger|crack_a_password|stolen|credit_card_numbers|blackmail*|bribe*|smuggl*|evade_taxes|insider_trading|hot-wire|hotwire|stalk*|track_someone|robar|voler|stehlen|falschen|украсть|взломать|偷|黑客|诈骗|rub*|riciclo|riciclare|falsific*|rapinare|truffa*|skim|pyramid_scheme|tax_evasion|evade|bank_account_under|clone_a|fake_invoice*',
  weapon:
    'bomb*|explosive*|pipe_bomb|grenade*|molotov|napalm|thermite|nerve_gas|sarin|ricin|anthrax|bioweapon|chemical_weapon|nitroglycerin|tnt|silencer|ghost_gun|untraceable_gun|assassinat*|hitman|mass_shooting|poison_someone|poison|bomba*|bombe*|sprengstoff|взрывчат*|бомб*|炸弹|毒气|esplosiv*|molotov|gas_velenoso|fully_automatic|nail_bomb|dirty_bomb|derail|sabotage|fertiliser|mass_murder|chlorine_gas|giftgas|molotowcocktail',
  sexual:
    'sex|sexual*|erotic*|porn*|nude*|naked|orgasm*|masturbat*|explicit|aroused|lust*|seduc*|fetish*|bdsm|intercourse|undress*|moan*|thrust*|breasts|genital*|horny|kinky|strip|sexo|desnud*|sexe|nu|nackt|sexuell*|секс*|голый|голая|色情|裸|性爱|sesso|erotic*|nuda|nudo|nud*|porno*|sext*|cybersex|orgy|orgia|blowjob|oral_sex|threesome|bondage|striptease|foreplay|steamy|dirty_talk|talk_dirty|undressed|sexy|sexz*|lovers|xxx',
  minor:
    'minor|minors|child|children|kid|kids|underage|schoolgirl|schoolboy|13-year-old|14-year-old|15-year-old|12-year-old|year_old_girl|year_old_boy|preteen|toddler|little_girl|little_boy|pupil|nino|nina|enfant*|kind|kinder|minderjahrig*|ребен*|дет*|несовершеннолетн*|儿童|未成年|bambin*|minorenn*|scolar*|ragazzin*|under_age|twelve_year*|fourteen_year*|10-year-old|11-year-old|ten-year-old|12_year|13_year|14_year|15_year|kid_of|girl_of|boy_of|teen|teenager*|menor*|colegiala|ecoliere|schulmadchen|minderjahrige*|kindern',
  neutral:
    'history|statistics|prevent*|protect*|help|support|hotline|research|law|police|news|report*|documentary|museum|novel|film|movie|game|recipe|garden|software|process|medical|doctor|therapy|education|class|theory|biology|exhibition|policy|safety|awareness|charity|rescue*|treat*|recover*|help_a_friend|how_do_doctors|legal|lecture|teach*|protect_my|school|homework|book*|process_in|linux|cook*|photo*|garden*',
};
